#!/bin/bash
# Makes what is missing in InfluxDB: the buckets, and a token each for worker and Grafana with the rights they need.
# Run again it changes nothing; a bucket that is there keeps its retention. A token that was lost is made anew, and
# the lost one is taken away.
#
# InfluxDB 2 makes a token's value itself and shows it once, so it cannot come from the files of `scenewatch secrets`:
# it is written to a volume of which each reader sees its own folder. (A user with a password of ours, by
# `influx v1 auth`, would do for reading; /api/v2/write does not take it.)
set -euo pipefail

readonly SECRETS=/run/secrets TOKENS=/etc/influxdb2
INFLUX_TOKEN="$(<"$SECRETS/influxdb-admin.token")"
export INFLUX_TOKEN

# id_of NAME: that of the line whose second column is NAME, among the lines on standard input; the tab parts columns.
id_of() {
  while IFS=$'\t' read -r id name _; do
    if [ "$name" = "$1" ]; then echo "$id"; fi
  done
}

# token READER OPTION...: written to a file of its own, readable by the group that READER's container is put in.
token() {
  local reader="$1" file="$TOKENS/$1/$1.token"
  shift
  if [ -s "$file" ]; then return; fi
  for lost in $(influx auth list --hide-headers | id_of "scenewatch-$reader"); do
    influx auth delete --id "$lost" >/dev/null
  done
  mkdir -p "$TOKENS/$reader"
  (umask 077 && influx auth create --description "scenewatch-$reader" --json "$@" |
    sed -n 's/^.*"token": *"\([^"]*\)".*$/\1/p' >"$file.new")
  [ -s "$file.new" ]
  chgrp "$SW_SECRETS_GID" "$file.new"
  chmod 640 "$file.new"
  mv "$file.new" "$file"
  echo "made the token of $reader"
}

there="$(influx bucket list --limit 100 --hide-headers)"
reads=() writes=()
while read -r bucket retention; do
  id="$(id_of "$bucket" <<<"$there")"
  if [ -z "$id" ]; then
    made="$(influx bucket create --name "$bucket" --retention "$retention" --hide-headers)"
    id="$(id_of "$bucket" <<<"$made")"
    echo "made the bucket $bucket, kept for $retention (0: for ever)"
  fi
  reads+=(--read-bucket "$id")
  writes+=(--write-bucket "$id")
done <"${1:-/etc/scenewatch/buckets}"

token worker "${reads[@]}" "${writes[@]}"
token grafana "${reads[@]}"
