# The host's one metadata server: a process of its own that goes on when the agent is gone. It knows nothing but a folder: a
# request from address A is answered with the file FOLDER/A/PATH (the path percent-encoded, see ../model/metadata.ts), opened
# again each time. No file, no answer (404).
#
# A guest may tell one thing: its administrator's password, encrypted by it, as Nova takes it. A POST to /openstack/VERSION/password is
# kept as the file posted/A, where there is no password yet; the agent takes it from there.
#
#     perl -T metadata-server.pl ADDRESS PORT FOLDER [UID]
#
# In Perl and not on Node, because it waits on every host for guests that ask once when they boot: 8 MiB instead of 78. Of
# Perl it needs what perl-base has, which every Debian has and which gives taps to guests here already.
#
# With UID, user and group number, it lets go of every right but that one's before it hears the first guest: whatever a
# guest makes of it can read the files of that group, which are these, and nothing else that is not open to all.
use strict;
use warnings;
use Errno qw(EAGAIN EINTR ENOENT);
use Fcntl qw(F_GETFL F_SETFL O_CREAT O_NOFOLLOW O_NONBLOCK O_RDONLY O_WRONLY);
use POSIX ();
use Socket qw(AF_INET SOCK_STREAM SOL_SOCKET SO_REUSEADDR SOMAXCONN inet_aton inet_ntoa pack_sockaddr_in unpack_sockaddr_in);

# Connections of all guests of this host, each with a file at the most: together fewer than a process may have descriptors.
# One more makes room by cutting the oldest that has asked for nothing.
my $connections_max = 448;
# Of these, one guest's: cloud-init asks on one connection at a time.
my $connections_per_guest_max = 16;
# Time to the end of a request's head.
my $head_timeout_s = 5;
# A slow client holds a connection no longer than this, from its beginning.
my $request_timeout_s = 10;
# A request has no body worth reading, and its headers are few.
my $head_bytes_max = 8 * 1024;
# Of a password that is posted: what Nova keeps.
my $password_bytes_max = 1020;
# What ../model/metadata.ts lets be written. Longer names are not there.
my $file_name_bytes_max = 255;
# Of a file, so much at a time is in memory.
my $chunk_bytes = 64 * 1024;

my ($address, $port, $folder, $uid) = arguments(@ARGV);

socket(my $listener, AF_INET, SOCK_STREAM, 0) or die "socket: $!\n";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1) or die "SO_REUSEADDR: $!\n";
bind($listener, pack_sockaddr_in($port, inet_aton($address))) or die "cannot listen on $address:$port: $!\n";
# From here its files are found without the way to them, which may be the agent's alone.
chdir($folder) or die "$folder: $!\n";
become_user($uid) if $uid ne '';
listen($listener, SOMAXCONN) or die "cannot listen on $address:$port: $!\n";
unblock($listener);
$SIG{PIPE} = 'IGNORE';
$| = 1;
print "listening on $address:$port\n";

# By descriptor. `head`: what it has sent so far; `reply`: what it is still to be sent; `file`: from where the rest comes;
# `is_asking`: whether its request has been read; `is_shut`: whether all of the answer has been sent; `is_ended`: whether the
# guest has closed its half; `begun`: seconds.
my %connections;

while (1) {
  my ($readable, $writable) = ('', '');
  vec($readable, fileno($listener), 1) = 1;
  for my $connection (values %connections) {
    # While an answer goes out, what else comes is read and thrown away: closing over it would cut the answer short.
    vec($readable, $connection->{number}, 1) = 1 if !$connection->{is_ended};
    vec($writable, $connection->{number}, 1) = 1 if $connection->{is_asking} && !$connection->{is_shut};
  }
  my $found = select($readable, $writable, undef, %connections ? 1 : undef);
  die "select: $!\n" if $found < 0 && $! != EINTR;
  cut_the_late();
  next if $found <= 0;
  for my $connection (values %connections) {
    take($connection) if vec($readable, $connection->{number}, 1);
    give($connection) if exists $connections{$connection->{number}} && vec($writable, $connection->{number}, 1);
  }
  accept_all() if vec($readable, fileno($listener), 1);
}

# Takes every connection that waits.
sub accept_all {
  while (my $peer = accept(my $socket, $listener)) {
    unblock($socket);
    my (undef, $ip) = unpack_sockaddr_in($peer);
    my $guest = inet_ntoa($ip);
    my @own = grep { $_->{guest} eq $guest } values %connections;
    if (@own >= $connections_per_guest_max) { make_room(@own) or next }
    elsif (keys %connections >= $connections_max) { make_room(values %connections) or next }
    my $number = fileno($socket);
    $connections{$number} = {
      number => $number, socket => $socket, guest => $guest, begun => now(),
      head => '', body => undef, reply => '', file => undef, is_asking => 0, is_head => 0, is_shut => 0, is_ended => 0,
    };
  }
}

# Cuts the oldest that has asked for nothing; false when there is none.
sub make_room {
  my @idle = sort { $a->{begun} <=> $b->{begun} } grep { !$_->{is_asking} } @_;
  return 0 if !@idle;
  cut($idle[0]);
  return 1;
}

sub cut_the_late {
  my $now = now();
  for my $connection (values %connections) {
    my $allowed = $connection->{is_asking} ? $request_timeout_s : $head_timeout_s;
    cut($connection) if $now - $connection->{begun} >= $allowed;
  }
}

sub cut {
  my ($connection) = @_;
  delete $connections{$connection->{number}};
  close($connection->{file}) if defined $connection->{file};
  close($connection->{socket});
}

# Reads what has come of a request, and begins the answer once its head is whole.
sub take {
  my ($connection) = @_;
  my $got = sysread($connection->{socket}, my $bytes, $head_bytes_max);
  return if !defined $got && ($! == EAGAIN || $! == EINTR);
  return cut($connection) if !defined $got;
  if ($got == 0) {
    # It may close its own half once it has asked (nc does), and still wants the answer.
    $connection->{is_ended} = 1;
    cut($connection) if !$connection->{is_asking} || $connection->{is_shut};
    return;
  }
  return if $connection->{is_asking};
  $connection->{head} .= $bytes;
  $connection->{head} =~ s/\A[\r\n]+//;
  if ($connection->{head} =~ /\n\r?\n/) {
    my ($line) = $connection->{head} =~ /\A([^\n]*)/;
    return if $line =~ /\APOST / && !is_whole($connection);
    $connection->{is_asking} = 1;
    answer($connection, $line);
  } elsif (length($connection->{head}) > $head_bytes_max) {
    $connection->{is_asking} = 1;
    reply($connection, '431 Request Header Fields Too Large', 'text/plain', "the request is too long\n");
  }
}

# Whether the body of a request has come, as long as it says; one that is longer than anything that is taken is not waited for.
sub is_whole {
  my ($connection) = @_;
  my ($head, $body) = $connection->{head} =~ /\A(.*?\n)\r?\n(.*)\z/s;
  my ($length) = $head =~ /\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r?\n/i;
  return 1 if !defined $length || $length > $password_bytes_max;
  $connection->{body} = substr($body, 0, $length);
  return length($body) >= $length;
}

# Sends what can be sent; ends the connection after the last byte.
sub give {
  my ($connection) = @_;
  if ($connection->{reply} eq '' && defined $connection->{file}) {
    my $got = sysread($connection->{file}, $connection->{reply}, $chunk_bytes);
    return cut($connection) if !defined $got;
    if ($got == 0) { close($connection->{file}); $connection->{file} = undef }
  }
  return finish($connection) if $connection->{reply} eq '';
  my $sent = syswrite($connection->{socket}, $connection->{reply});
  if (defined $sent) { substr($connection->{reply}, 0, $sent, '') }
  elsif ($! != EAGAIN && $! != EINTR) { cut($connection) }
}

# All is sent: says so to the guest, and waits for it to close, so that nothing that is under way to it is lost.
sub finish {
  my ($connection) = @_;
  return cut($connection) if $connection->{is_ended};
  shutdown($connection->{socket}, 1);
  $connection->{is_shut} = 1;
}

sub answer {
  my ($connection, $line) = @_;
  my ($method, $url) = $line =~ m{\A([!-~]+) ([!-~]+) HTTP/1\.[01]\r?\z};
  return reply($connection, '400 Bad Request', 'text/plain', "that is no request\n") if !defined $url;
  $connection->{is_head} = $method eq 'HEAD';
  return take_password($connection, path_of($url)) if $method eq 'POST';
  if ($method ne 'GET' && $method ne 'HEAD') {
    return reply($connection, '405 Method Not Allowed', 'text/plain', "only GET and HEAD\n", "Allow: GET, HEAD\r\n");
  }
  my $path = path_of($url);
  for my $candidate (defined $path ? ($path, other_form($path)) : ()) {
    my $name = encoded($candidate);
    # Encoded, the name has no slash, and it begins with one, so it is never `..`.
    next if $candidate !~ m{\A/} || length($name) > $file_name_bytes_max;
    # The kernel has said who it is, and the name is encoded here.
    my ($file) = "$connection->{guest}/$name" =~ /\A(.*)\z/s;
    if (sysopen(my $body, $file, O_RDONLY | O_NOFOLLOW)) {
      my $bytes = -s $body;
      head($connection, '200 OK', type_of($candidate), $bytes, '');
      $connection->{file} = $body if !$connection->{is_head};
      return;
    }
    next if $! == ENOENT;
    print STDERR "$connection->{guest} $!\n";
    return reply($connection, '500 Internal Server Error', 'text/plain', "the answer could not be read\n");
  }
  reply($connection, '404 Not Found', 'text/plain', "not found\n");
}

# Keeps what a guest tells as its password: once, until the agent has taken it and its owner has cleared it.
sub take_password {
  my ($connection, $path) = @_;
  my ($version) = ($path // '') =~ m{\A/openstack/([A-Za-z0-9-]{1,32})/password/?\z};
  my $name = defined $version ? encoded("/openstack/$version/password") : '';
  my ($file) = "$connection->{guest}/$name" =~ /\A(.*)\z/s;
  my $known = $name eq '' ? undef : -s $file;
  if ($name eq '' || !-e $file) {
    my @allowed = ('405 Method Not Allowed', 'text/plain', "only passwords are posted\n", "Allow: GET, HEAD\r\n");
    return reply($connection, @allowed);
  }
  my $body = $connection->{body};
  return reply($connection, '400 Bad Request', 'text/plain', "Request is too large.\n") if !defined $body;
  return reply($connection, '409 Conflict', 'text/plain', "there is a password\n") if $known;
  return reply($connection, '400 Bad Request', 'text/plain', "that is no password\n") if $body !~ /\A[!-~]+\z/;
  my ($posted) = "posted/$connection->{guest}" =~ /\A(.*)\z/s;
  # Whole under its name, or not there.
  if (sysopen(my $draft, "$posted.new", O_WRONLY | O_CREAT | O_NOFOLLOW, 0640)) {
    my $written = truncate($draft, 0) && syswrite($draft, $body);
    if (defined $written && $written == length($body) && close($draft) && link("$posted.new", $posted)) {
      unlink("$posted.new");
      return reply($connection, '200 OK', 'text/plain', '');
    }
    unlink("$posted.new");
    return reply($connection, '409 Conflict', 'text/plain', "there is a password\n") if -e $posted;
  }
  print STDERR "$connection->{guest} a password is not kept: $!\n";
  reply($connection, '500 Internal Server Error', 'text/plain', "the password could not be kept\n");
}

sub reply {
  my ($connection, $status, $type, $text, $headers) = @_;
  head($connection, $status, $type, length($text), $headers // '');
  $connection->{reply} .= $text if !$connection->{is_head};
}

sub head {
  my ($connection, $status, $type, $bytes, $headers) = @_;
  $connection->{head} = '';
  $connection->{reply} =
    "HTTP/1.1 $status\r\nContent-Type: $type\r\nContent-Length: $bytes\r\n${headers}Connection: close\r\n\r\n";
}

# User data is whatever its owner sent: no text, unless the guest finds that it is.
sub type_of {
  my ($path) = @_;
  return 'application/json' if $path =~ /\.json\z/;
  return $path =~ m{/user[_-]data\z} ? 'application/octet-stream' : 'text/plain; charset=utf-8';
}

# The decoded path of a URL; undefined when its percent signs make no sense.
sub path_of {
  my ($url) = @_;
  my ($path) = $url =~ /\A([^?]*)/;
  return undef if $path =~ /%(?![0-9A-Fa-f]{2})/;
  $path =~ s/%([0-9A-Fa-f]{2})/chr(hex($1))/ge;
  $path =~ s{/{2,}}{/}g;
  return $path;
}

# An index is asked for with and without its slash.
sub other_form {
  my ($path) = @_;
  return $path =~ m{\A(.*)/\z}s ? $1 : "$path/";
}

# As encodeURIComponent does, byte by byte.
sub encoded {
  my ($path) = @_;
  $path =~ s/([^A-Za-z0-9\-_.!~*'()])/sprintf('%%%02X', ord($1))/ge;
  return $path;
}

sub arguments {
  my @given = map { /\A([ -~]*)\z/ ? $1 : '' } @_;
  my ($ip, $number, $path, $user) = (@given, '', '', '', '');
  if ($ip !~ /\A\d{1,3}(?:\.\d{1,3}){3}\z/ || $number !~ /\A\d{1,5}\z/ || $path !~ m{\A/} || $user !~ /\A\d{0,10}\z/) {
    print STDERR "usage: metadata-server.pl ADDRESS PORT FOLDER [UID]\n";
    exit 2;
  }
  return ($ip, $number, $path, $user);
}

# Once and for all: with the user number go the capabilities to take it back.
sub become_user {
  my ($number) = @_;
  # Its own group alone, unless setpriv has left none.
  $) = "$number $number" if (split(' ', $))) > 1;
  POSIX::setgid($number) or die "cannot become group $number: $!\n";
  POSIX::setuid($number) or die "cannot become user $number: $!\n";
  die "did not become user $number\n" if $< != $number || $> != $number || $) !~ /\A$number(?: $number)*\z/;
}

sub unblock {
  my ($handle) = @_;
  my $flags = fcntl($handle, F_GETFL, 0) or die "fcntl: $!\n";
  fcntl($handle, F_SETFL, $flags | O_NONBLOCK) or die "fcntl: $!\n";
}

# Of a clock that nobody sets. Unit: seconds.
sub now {
  return (POSIX::times())[0] / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}
