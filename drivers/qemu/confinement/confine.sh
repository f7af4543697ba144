#!/bin/bash
# Becomes a program that sees nothing of the host but what is named. Run as root, in a mount namespace of its own:
#
#     unshare --mount --ipc --propagation slave -- bash -p confine.sh ROOT [WORD...] -- PROGRAM [ARGUMENT...]
#
# ROOT is an empty folder, over which a small tmpfs is mounted that becomes `/`; `-` leaves `/` as it is. Words:
#     group=FOLDER       enter this cgroup
#     dir=PATH           an empty folder
#     ro=PATH, rw=PATH   this file or folder, read-only or writable, under its own name; a link stays a link
#     at=PATH=OTHER      PATH, writable, once more under another name
#     plug=PATH          this folder, and what is mounted below it later
#     dev=PATH           this device
#     proc=PATH          /proc, with nothing but the processes of the reader's own user
# What the words name must exist. The same pid all the way: nothing is forked that stays.
set -eu
umask 022

root=$1
shift
# Makes the place $2 for what $1 is.
place() {
  mkdir -p "$root${2%/*}"
  if [[ -d $1 ]]; then mkdir -p "$root$2"; else : >>"$root$2"; fi
}

if [[ $root != - ]]; then
  mount -t tmpfs -o mode=0755,nosuid,nodev,noexec,size=1m,nr_inodes=1k shoal-guest "$root"
fi
while [[ $1 != -- ]]; do
  path=${1#*=}
  case $1 in
    group=*) echo $$ >"$path/cgroup.procs" ;;
    dir=*) mkdir -p "$root$path" ;;
    proc=*)
      mkdir -p "$root$path"
      mount -t proc -o nosuid,nodev,noexec,hidepid=2,subset=pid proc "$root$path"
      ;;
    ro=* | dev=*)
      if [[ -L $path ]]; then
        mkdir -p "$root${path%/*}"
        cp -P "$path" "$root$path"
      else
        place "$path" "$path"
        options=ro,nosuid,nodev
        if [[ $1 == dev=* ]]; then options=nosuid,noexec; fi
        mount --bind --make-private -o "$options" "$path" "$root$path"
      fi
      ;;
    rw=*)
      place "$path" "$path"
      mount --bind --make-private -o nosuid,nodev,noexec "$path" "$root$path"
      ;;
    plug=*)
      # Not private, as all others: it takes part in what happens below the host's.
      place "$path" "$path"
      mount --bind -o ro,nosuid,nodev,noexec "$path" "$root$path"
      ;;
    at=*)
      place "${path%%=*}" "${path#*=}"
      mount --bind --make-private -o nosuid,nodev,noexec "${path%%=*}" "$root${path#*=}"
      ;;
    *)
      echo "confine.sh: $1 is not understood" >&2
      exit 64
      ;;
  esac
  shift
done
shift
if [[ $root != - ]]; then
  mount -o remount,ro,nosuid,nodev,noexec "$root"
  cd "$root"
  # The old root comes to lie on the new one, and is taken off: pivot_root(2), "pivot_root . .".
  pivot_root . .
  umount -l .
  cd /
fi
# Sockets, console and pid file are for the guest's own user and root.
umask 0177
exec "$@"
