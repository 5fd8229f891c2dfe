"""Photos of the contacts of a scene, and what the store has of them."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from cirahub_simulator.graph.contact import Contact
from cirahub_simulator.graph.mailbox import Mailbox
from cirahub_simulator.graph.photo import read_photo
from cirahub_sync.store.hub import Transaction

if TYPE_CHECKING:
    from .conftest import Scene

WEEK = 7 * 86_400.0
ANN = {"displayName": "Ann", "email": "ann@example.org"}


def jpeg(colour: str, side: int = 64, **more: Any) -> bytes:
    made = BytesIO()
    Image.new("RGB", (side, side), colour).save(made, "JPEG", **more)
    return made.getvalue()


class Photos:
    """Photos in the mailboxes of a scene, as their users see and change them."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        scene.configure(photo_interval=WEEK)

    def put(self, name: str, raw: bytes | None, contact: str = "Ann") -> None:
        mailbox, held = self._find(name, contact)
        mailbox.set_photo(held, None if raw is None else read_photo(raw))

    def of(self, name: str, contact: str = "Ann") -> bytes | None:
        photo = self._find(name, contact)[1].photo
        return None if photo is None else photo.data

    def colour(self, name: str, contact: str = "Ann") -> str | None:
        """The nearest of red, green and blue; None without a photo."""
        raw = self.of(name, contact)
        if raw is None:
            return None
        pixel = Image.open(BytesIO(raw)).convert("RGB").getpixel((1, 1))
        assert isinstance(pixel, tuple)
        return ("red", "green", "blue")[pixel.index(max(pixel))]

    def asked(self, method: str, end: str) -> list[str]:
        """Paths of requests since the scene was told to forget them."""
        return [
            entry["path"]
            for entry in self.scene.requests()
            if entry["method"] == method and entry["path"].endswith(end)
        ]

    @property
    def writes(self) -> list[str]:
        return [path for one in ("PUT", "DELETE") for path in self.asked(one, "/photo/$value")]

    def _find(self, name: str, contact: str) -> tuple[Mailbox, Contact]:
        world = self.scene.simulator.world
        user = world.directory.find_user(self.scene.mailbox(name))
        assert user is not None
        mailbox = world.mailboxes[user.id]
        held = mailbox.find_contact(str(self.scene.the(name, contact)["id"]))
        assert held is not None
        return mailbox, held


def rows(scene: Scene, ask: Callable[[Transaction], Any]) -> Any:
    with scene.worker._store.hub(scene.hub.uid).read() as tx:
        return ask(tx)


def kept(scene: Scene) -> int:
    """Pictures in the store."""

    def count(tx: Transaction) -> Any:
        return tx.connection.exec_driver_sql("SELECT count(*) FROM pictures").scalar_one()

    return int(rows(scene, count))


def whose(scene: Scene) -> list[str]:
    """Whose photos items have."""
    return sorted(one.spoke for one in rows(scene, lambda tx: tx.portraits.all()).values())


async def settled(scene: Scene) -> None:
    """Until nothing is on its way any more; nothing may go wrong."""
    for _ in range(6):
        report = await scene.sync()
        problems = [report.problem, *(one.problem for one in report.spokes.values())]
        assert [problem for problem in problems if problem is not None] == []
        counts = [one.counts for one in report.spokes.values()]
        if not report.written + sum(one.photos_written + one.photos_removed for one in counts):
            return
    raise AssertionError("something is still written after six passes")
