"""Send what recall-triggers asks for, and report it on events.message: send.py BOOTSTRAP_SERVERS TOPIC_PREFIX FILE."""

import hashlib
import json
import sqlite3
import sys
import time

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

servers, prefix, file = sys.argv[1:]
outbox = sqlite3.connect(file, isolation_level=None)
outbox.executescript("""CREATE TABLE IF NOT EXISTS triggers (id PRIMARY KEY, state, expires_at, content);
    CREATE TABLE IF NOT EXISTS positions (partition INTEGER PRIMARY KEY, next_offset);""")
producer = KafkaProducer(bootstrap_servers=servers, acks="all", enable_idempotence=False)
consumer = KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed", auto_offset_reset="earliest")
topic = f"{prefix}recall-triggers"
consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
for number, next_offset in outbox.execute("SELECT * FROM positions"):
    consumer.seek(TopicPartition(topic, number), next_offset)
ends = consumer.end_offsets(consumer.assignment())
while True:
    polled = consumer.poll(1000)
    for (_, number, *_), records in polled.items():
        outbox.execute("BEGIN")  # one transaction: what the records ask for, and where to go on
        for trigger in (json.loads(record.value) for record in records):
            state = "cancelled" if trigger["rev"] else "test" if trigger["test"] else "waiting"
            row = trigger["id"], state, trigger["expires_at"], json.dumps(trigger)
            outbox.execute("INSERT OR IGNORE INTO triggers VALUES (?, ?, ?, ?)", row)
            if trigger["rev"]:  # it takes back what was not sent yet
                outbox.execute("UPDATE triggers SET state = ? WHERE id = ? AND state = 'waiting'", (state, row[0]))
        outbox.execute("REPLACE INTO positions VALUES (?, ?)", (number, records[-1].offset + 1))
        outbox.execute("COMMIT")
    if any(consumer.position(place) < end for place, end in ends.items()):
        continue  # what was said while this was down may take something back
    for row in outbox.execute("SELECT * FROM triggers WHERE state = 'waiting'").fetchall():
        ident, _, expires_at, content = row
        trigger, now = json.loads(content), int(time.time() * 1000)
        if now < expires_at:
            # your provider here; give it the id, that it knows again what it is asked twice after a crash
            sys.stdout.write(f"{ident} {trigger['recall_channel']} {trigger['offer']}\n")
            event = {name: trigger[name] for name in ("user_id", "campaign", "recall_channel")}
            event |= {"type": "message", "kind": "sent", "trigger_id": ident, "ts": now}
            event |= {"event_id": f"{hashlib.sha256(ident.encode()).hexdigest()}-sent"}
            producer.send(f"{prefix}events.message", json.dumps(event).encode(), key=trigger["user_id"].encode())
            producer.flush()
        outbox.execute("UPDATE triggers SET state = ? WHERE id = ?", ("sent" if now < expires_at else "expired", ident))
