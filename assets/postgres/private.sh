# A throw-away PostgreSQL for as long as somebody holds the other end of our standard input.
# $1: folder for everything (ours, 0700); $2: folder with initdb and postgres; the rest goes to postgres.
# Whoever started us may be killed in any way: the pipe closes, the server ends, the folder goes.
folder=$1 bin=$2
shift 2
exec 3<&0 </dev/null

# Ends us: because it is over, with nobody left behind; else with the last words of the log. The watcher
# ends without the folder.
leave() {
    if [ -e "$folder/over" ]; then
        rm -rf "$folder"
        wait "$watcher"
        exit 0
    fi
    tail -n 4 "$folder/log" >&2
    rm -rf "$folder"
    exit "$1"
}

# The watcher: reads the pipe to its end, then ends the server, however far it has come.
(
    trap '' INT TERM HUP
    cat <&3 >/dev/null
    : >"$folder/over"
    # Where the folder itself may not be removed, what is in it may.
    while [ -d "$folder/data" ] || [ -e "$folder/over" ]; do
        pid=$(head -n 1 "$folder/data/postmaster.pid" 2>/dev/null)
        [ -n "$pid" ] && kill -QUIT "$pid" 2>/dev/null
        sleep 0.1
    done
) 2>/dev/null &
watcher=$!

# A signal to us ends the server as the closed pipe would.
trap '[ -n "$server" ] && kill -QUIT "$server" 2>/dev/null' INT TERM HUP

"$bin/initdb" -U warroom -A trust -E UTF8 --locale=C -N -D "$folder/data" >"$folder/log" 2>&1 3<&- || leave 3
[ -e "$folder/over" ] && leave
"$bin/postgres" -D "$folder/data" "$@" >>"$folder/log" 2>&1 3<&- &
server=$!
wait "$server"
how=$?
# A signal ends the waiting before the server has ended.
while kill -0 "$server" 2>/dev/null; do
    wait "$server"
    how=$?
done
leave "$how"
