"""A Telegraf as an integrator would set it up for these messages, tuned for throughput."""

from __future__ import annotations

_SETTINGS = """
[agent]
omit_hostname = true
interval = "1s"
flush_interval = "1s"
metric_batch_size = 5000
metric_buffer_limit = 500000

[[inputs.mqtt_consumer]]
startup_error_behavior = "retry"
servers = ["tcp://127.0.0.1:{mqtt_port}"]
topics = ["{root}/+/+/+/telemetry"]
client_id = "{name}"
persistent_session = true
qos = 1
max_undelivered_messages = 50000
topic_tag = ""
data_format = "json"
json_time_key = "t"
json_time_format = "unix_ms"
fieldexclude = ["n"]
[[inputs.mqtt_consumer.topic_parsing]]
topic = "{root}/+/+/+/telemetry"
measurement = "_/measurement/_/_/_"
tags = "{tags}"

[[outputs.influxdb_v2]]
urls = ["{influx}"]
bucket = "{name}"
content_encoding = "identity"
"""


def settings(name: str, *, root: str, tags: str, mqtt_port: int, influx: str) -> str:
    """Reads the topics below `root` and writes into the database `name` of the InfluxDB at a URL.

    `tags` says which levels of the topic become tags, in Telegraf's own words.
    """
    return _SETTINGS.format(name=name, root=root, tags=tags, mqtt_port=mqtt_port, influx=influx)
