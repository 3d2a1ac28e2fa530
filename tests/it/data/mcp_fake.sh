#!/bin/sh
# A server of tools that behaves as badly as it is told: mcp_fake.sh MODE FOLDER. It speaks the legacy era over its
# standard streams; what it was asked stands in FOLDER/asked, its process in FOLDER/pids.
mode=$1
folder=$2
echo "$$" >>"$folder/pids"
echo "fake $mode is up" >&2
case $mode in
banner) printf '\033[1mFake Log Server\033[0m 1.0\n{not a message\n' ;;
stubborn)
    trap '' TERM
    sleep 600 &
    echo "$!" >>"$folder/pids"
    ;;
esac

answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$1" "$2"; }
words() { answer "$1" "{\"content\":[{\"type\":\"text\",\"text\":\"$2\"}]}"; }

call() {
    case $2 in
    *'"name":"lines"'*)
        # A word about progress comes before the answer.
        printf '{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"looking"}}\n'
        words "$1" '2025-01-12T12:31:08Z ERROR acquire timeout for ORD-20250112-0000001\n2025-01-12T12:31:09Z INFO ok'
        ;;
    *'"name":"histogram"'*)
        case $2 in
        *refused*) answer "$1" '{"isError":true,"content":[{"type":"text","text":"no such word"}]}' && return ;;
        esac
        answer "$1" '{"structuredContent":{"buckets":[{"ts":"2025-01-12T12:31:00Z","count":2}]},"content":[{"type":"text","text":""}]}'
        ;;
    *'"name":"die_once"'*)
        if [ ! -e "$folder/died" ]; then
            : >"$folder/died"
            echo 'out of memory' >&2
            exit 3
        fi
        words "$1" '2025-01-12T12:31:08Z INFO back again'
        ;;
    *'"name":"die"'*)
        echo 'out of memory' >&2
        exit 3
        ;;
    *'"name":"big"'*)
        printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"' "$1"
        head -c 9437184 /dev/zero | tr '\0' x
        printf '"}]}}\n'
        ;;
    *'"name":"slow"'*) late=$1 ;;
    *'"name":"fails"'*) answer "$1" '{"isError":true,"content":[{"type":"text","text":"index mrg-* is closed"}]}' ;;
    *) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"Unknown tool"}}\n' "$1" ;;
    esac
}

tool() { printf '{"name":"%s","inputSchema":{"type":"object","properties":{"query":{"type":"string"}}}}' "$1"; }

late=''
while IFS= read -r line; do
    printf '%s\n' "$line" >>"$folder/asked"
    id=$(printf '%s' "$line" | sed -n 's/.*"id":\([0-9][0-9]*\).*/\1/p')
    case $line in
    *'"method":"server/discover"'*)
        [ "$mode" = mute ] || printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"Method not found"}}\n' "$id"
        ;;
    *'"method":"initialize"'*)
        answer "$id" '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"fake","version":"1.0"}}'
        ;;
    *'"method":"tools/list"'*'"cursor":""'*) answer "$id" "{\"tools\":[$(tool slow)]}" ;;
    *'"method":"tools/list"'*) answer "$id" "{\"tools\":[$(tool lines),$(tool die)],\"nextCursor\":\"\"}" ;;
    *'"method":"tools/call"'*) call "$id" "$line" ;;
    *'"method":"notifications/cancelled"'*)
        # The answer nobody waits for any more comes all the same.
        [ -z "$late" ] || words "$late" 'too late'
        ;;
    esac
done
while [ "$mode" = stubborn ]; do sleep 1; done
