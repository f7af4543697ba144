# report WORD TEXT: one line for the watcher of the serial console.
report() { echo "@@ $*" >/dev/ttyS0; }
uptime_s() { cut -d' ' -f1 /proc/uptime; }
# Makes any text fit into one line of a report.
one_line() { tr '\n\r' '||' | head -c 600; }
# json_string KEY: the first string value of that key in the JSON on standard input.
json_string() { tr -d '\n' | sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }
