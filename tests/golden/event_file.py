"""Writes event_file.json: an event file of TensorBoard's own writer, in base64, and the scalars in it.

    pip install tensorboard==2.21.0
    python3 tests/golden/event_file.py
"""
import base64
import json
import os
import pathlib
import tempfile

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

SECONDS = 1_767_225_600.25
SCALARS = [[301, {"train/loss": 3.5, "train/gradient_norm": 0.0}], [70_000, {"validation/cider": 0.565}]]

events = [
    Event(wall_time=SECONDS, file_version="brain.Event:2"),
    Event(wall_time=SECONDS, step=301, session_log=SessionLog(status=SessionLog.START)),
    *(
        Event(
            wall_time=SECONDS,
            step=step,
            summary=Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]),
        )
        for step, scalars in SCALARS
    ),
]
path = tempfile.mktemp()
with open(path, "wb") as file:
    writer = RecordWriter(file)
    for event in events:
        writer.write(event.SerializeToString())
    writer.flush()
golden = {"seconds": SECONDS, "scalars": SCALARS, "file": base64.b64encode(pathlib.Path(path).read_bytes()).decode()}
os.remove(path)
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=1) + "\n")
