#!/bin/sh
# What an operator would type: a server with archiving, rows, a base backup, more rows, an incident, and recovery to just
# before it on a clean data directory. Checks nothing. The measure for `npm run bench`, which starts it.
#   bare-procedure.sh DIRECTORY PORT ROWS     with PostgreSQL's programs and psql on PATH
# Prints a line a phase: its name and its milliseconds.
set -eu
dir=$1 port=$2 rows=$3
sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -h 127.0.0.1 -p "$port" -U postgres -d postgres "$@"; }
at=$(date +%s%3N)
phase() { now=$(date +%s%3N); echo "$1 $((now - at))"; at=$now; }
serve() { pg_ctl -s -w -t 30 -D "$1" -l "$dir/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start; }

mkdir "$dir/archive"
initdb -D "$dir/primary" -U postgres -A trust --no-sync --data-checksums --no-instructions -E UTF8 --locale=C >/dev/null
cat >>"$dir/primary/postgresql.auto.conf" <<CONF
fsync = off
archive_mode = on
archive_command = 'test ! -e "$dir/archive/%f" && cp "%p" "$dir/archive/%f"'
CONF
phase init
serve "$dir/primary"
phase start
sql -c "CREATE TABLE bench (id bigint PRIMARY KEY, text text); INSERT INTO bench SELECT i, md5(i::text) FROM generate_series(1, $rows) i"
phase rows
sql >"$dir/label" <<SQL
SELECT FROM pg_backup_start('bare', true);
\\! cp -a "$dir/primary" "$dir/backup" && rm -rf "$dir/backup/pg_wal/"* "$dir/backup/postmaster.pid"
SELECT labelfile FROM pg_backup_stop(false);
SQL
grep -v '^ *$' "$dir/label" | sed 's/^NOTICE.*//' >"$dir/backup/backup_label"
phase backup
sql -c "INSERT INTO bench SELECT i, md5(i::text) FROM generate_series($rows + 1, 2 * $rows) i"
phase 'more rows'
target=$(sql -c 'SELECT pg_current_wal_insert_lsn()')
sql -c 'DELETE FROM bench'
segment=$(sql -c 'SELECT pg_walfile_name(pg_switch_wal())')
while [ ! -e "$dir/archive/$segment" ]; do sleep 0.01; done
pg_ctl -s -w -D "$dir/primary" -m immediate stop
rm -rf "$dir/primary"
phase incident
cp -a "$dir/backup" "$dir/restored"
mkdir -p "$dir/restored/pg_wal"
touch "$dir/restored/recovery.signal"
cat >>"$dir/restored/postgresql.auto.conf" <<CONF
restore_command = 'cp "$dir/archive/%f" "%p"'
recovery_target_lsn = '$target'
recovery_target_inclusive = off
recovery_target_action = pause
archive_mode = off
CONF
phase restore
serve "$dir/restored"
while [ "$(sql -c 'SELECT pg_get_wal_replay_pause_state()')" != paused ]; do sleep 0.01; done
phase replay
sql -c 'SELECT pg_wal_replay_resume()' >/dev/null
while [ "$(sql -c 'SELECT pg_is_in_recovery()')" != f ]; do sleep 0.01; done
phase promote
[ "$(sql -c 'SELECT count(*) FROM bench')" = $((2 * rows)) ] || { echo "the bare procedure did not recover its rows" >&2; exit 1; }
phase count
pg_ctl -s -w -D "$dir/restored" -m immediate stop
