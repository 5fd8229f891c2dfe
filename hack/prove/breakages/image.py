"""What is taken out of the image, and of what looks at it.

A change of the Dockerfile makes an image of its own, which takes a minute or two."""

from __future__ import annotations

from prove.breakage import Breakage

IMAGE = "Image"
_LOOKED_AT = "tests/image/test_image.py"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=IMAGE,
        what="programs of the base raise rights",
        file="Dockerfile",
        old="find / -xdev -type f -perm /6000 -exec chmod a-s {} +",
        new="true",
        tests=f"{_LOOKED_AT}::test_nothing_in_it_runs_with_the_rights_of_its_owner",
    ),
    Breakage(
        guards=IMAGE,
        what="it runs as root",
        file="Dockerfile",
        old="USER 65532:65532\n",
        new="USER 0:0\n",
        tests=f"{_LOOKED_AT}::test_it_runs_as_a_user_of_its_own_without_groups_of_others",
    ),
    Breakage(
        guards=IMAGE,
        what="it is tried on a file system that can be written to",
        file="hack/image/sandbox.py",
        old='mount -o remount,bind,ro "$root"',
        new='mount -o remount,bind,rw "$root"; chmod a+w "$root/opt/cirahub/lib"',
        tests=f"{_LOOKED_AT}::test_it_writes_to_two_places_and_nowhere_else",
    ),
    Breakage(
        guards=IMAGE,
        what="a layer writes outside of the image",
        file="hack/image/archive.py",
        old='if ".." in path.parts or path.is_absolute():',
        new="if path.is_absolute():",
        tests="tests/image/test_archive.py::test_a_layer_that_leads_out_of_the_image_is_refused",
    ),
    Breakage(
        guards=IMAGE,
        what="what a layer takes away stays",
        file="hack/image/archive.py",
        old="            _remove(into / path.with_name(path.name.removeprefix(REMOVED)))",
        new="            continue",
        tests="tests/image/test_archive.py::test_what_a_layer_takes_away_is_gone",
    ),
    Breakage(
        guards=IMAGE,
        what="the image of another state of the code is taken",
        file="hack/image/context.py",
        old="            for part in (name, path.read_bytes()):",
        new="            for part in (name,):",
        tests="tests/image/test_context.py::test_a_change_of_what_it_is_made_of_makes_it_anew",
    ),
)
