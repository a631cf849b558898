"""Keep the effective history of tag-changes in SQLite, exactly once: follow.py BOOTSTRAP_SERVERS TOPIC FILE."""

import json
import sqlite3
import sys

from kafka import KafkaConsumer, TopicPartition

servers, topic, file = sys.argv[1:]
state = sqlite3.connect(file)
state.executescript("""
    CREATE TABLE IF NOT EXISTS history (id PRIMARY KEY, user, tag, at, before, after, withdrawn);
    CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, next_offset);
    CREATE VIEW IF NOT EXISTS current AS SELECT user, tag, after AS value FROM (SELECT *, row_number() OVER
    (PARTITION BY user, tag ORDER BY at DESC, rowid DESC) AS age FROM history WHERE NOT withdrawn) WHERE age = 1;""")
consumer = KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest")
consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
for number, next_offset in state.execute("SELECT * FROM positions"):
    consumer.seek(TopicPartition(topic, number), next_offset)
while True:
    for (_, number, *_), records in consumer.poll(1000).items():
        with state:  # one transaction: what the records change, and where to go on
            for change in (json.loads(record.value) for record in records):
                if "corrects" in change:
                    state.execute("UPDATE history SET withdrawn = 1 WHERE id = :corrects", change)
                elif change["to"] is None and change["cause"].startswith("profile:"):  # the user is erased
                    state.execute("DELETE FROM history WHERE user = :user_id AND (at <= :at OR withdrawn)", change)
                else:  # one that was seen before changes nothing
                    state.execute("INSERT OR IGNORE INTO history VALUES (:id,:user_id,:tag,:at,:from,:to,0)", change)
            state.execute("REPLACE INTO positions VALUES (?, ?)", [number, records[-1].offset + 1])
