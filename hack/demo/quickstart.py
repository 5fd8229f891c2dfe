"""The story of `examples/quickstart`."""

from __future__ import annotations

from demo.story import Script, Story

SCRIPT = Script(
    manifests=("--kustomize", "examples/quickstart"),
    hub="staff",
    editor="anna",
    leaver="carla",
    ready_within=180.0,
)


def play(story: Story) -> None:
    story.apply()
    story.wait()
    story.look()
    story.change()
    story.untouched()
    story.leave()
    story.summary()
