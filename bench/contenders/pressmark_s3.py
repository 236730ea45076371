"""This project, with an S3 server as its store."""

from __future__ import annotations

from dataclasses import replace

import pressmark_folder
from contender import Task


def environment(task: Task) -> dict[str, str]:
    assert task.s3 is not None, "it is on S3"
    store = f"s3://{task.s3.bucket}/{task.folder.name}"
    return {**pressmark_folder.environment(task), **task.s3.settings, "PRESSMARK_STORE": store}


CONTENDER = replace(pressmark_folder.CONTENDER, name="Pressmark, S3", environment=environment, on_s3=True)
