#!/usr/bin/env bash
# Makes the speech of the scripted callers: src/twin/caller/speech/<name>.ulaw (raw G.711 mu-law, 8 kHz, mono)
# and index.json beside them (name, text, durationMs). Needs espeak-ng and sox; its output is committed.
#
# Whole frames of 20 ms. The band of a telephone line (300 to 3,400 Hz), a little compression as in a handset, and noise at about -55 dBFS.
set -euo pipefail

folder="$(cd "$(dirname "$0")/.." && pwd)/src/twin/caller/speech"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir -p "$folder"

names=()
texts=()

# Arguments: name, words a minute, text.
make_line() {
  local name="$1" speed="$2" text="$3"
  espeak-ng -v en-us+f4 -s "$speed" -p 46 -g 1 -w "$work/spoken.wav" "$text"
  sox -R "$work/spoken.wav" -r 8000 -c 1 -b 16 "$work/band.wav" \
    gain -6 sinc 300-3400 compand 0.01,0.2 6:-60,-40,-12 -8 -60 norm -6 \
    silence 1 0.01 0.4% reverse silence 1 0.01 0.4% pad 0.02 reverse pad 0.02
  local samples
  samples="$(soxi -s "$work/band.wav")"
  sox -R "$work/band.wav" "$work/frames.wav" pad 0 "$(((160 - samples % 160) % 160))s"
  samples="$(soxi -s "$work/frames.wav")"
  sox -R -n -r 8000 -c 1 -b 16 "$work/noise.wav" synth "${samples}s" pinknoise vol 0.005 sinc 300-3400
  sox -R -m -v 1 "$work/frames.wav" -v 1 "$work/noise.wav" -t raw -e mu-law -b 8 "$folder/$name.ulaw" norm -6
  names+=("$name")
  texts+=("$text")
}

make_line bike-ready 165 "Hi, I'd like to know if my bike is ready. The repair number is four seven one two."
make_line how-much 170 "Sorry, one moment. How much does it cost?"
make_line closing-time 165 "Great. What time do you close today?"
make_line goodbye 160 "Thank you, that is all. Goodbye."
make_line yes-please 155 "Yes please."

{
  echo '['
  for index in "${!names[@]}"; do
    bytes="$(wc -c <"$folder/${names[$index]}.ulaw")"
    comma=','
    [ "$index" -eq $((${#names[@]} - 1)) ] && comma=''
    printf '  { "name": "%s", "text": "%s", "durationMs": %d }%s\n' \
      "${names[$index]}" "${texts[$index]}" "$((bytes / 8))" "$comma"
  done
  echo ']'
} >"$folder/index.json"
