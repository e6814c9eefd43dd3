"""Writes the exchange files of this folder: python make.py. See README.md."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
from pathlib import Path

from doorsill import hash_image

HERE = Path(__file__).parent
IMAGES = HERE.parent / "images"
NCMEC = "https://hashsharing.ncmec.org/hashsharing/v2"
PICTURES = ("cat", "clock", "brick", "rocket")
OWNER = {"id": "11", "name": "Example Platform"}


def pdq(name: str) -> str:
    """Return the PDQ hash of a test picture in hex."""
    return hash_image(IMAGES / f"{name}.jpg").hex


def digest(kind: str, name: str) -> str:
    """Return a digest of a test picture, or of a few words, in hex."""
    path = IMAGES / f"{name}.jpg"
    data = path.read_bytes() if path.exists() else name.encode()
    return hashlib.new(kind, data).hexdigest()


def write_csv(name: str, lines: list[list[str]], delimiter: str = ",") -> None:
    """Write a CSV."""
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(lines)


def write_json(name: str, value: object) -> None:
    """Write JSON."""
    (HERE / name).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def plain() -> None:
    """Write pdq.csv."""
    rows = [[pdq(name), "100", f"{name}.jpg"] for name in PICTURES]
    write_csv(
        "pdq.csv", [["hash", "quality", "filename"], *rows, [pdq("cat"), "49", "blurred.jpg"]]
    )


def icse() -> None:
    """Write icse.csv."""
    header = [
        "MD5",
        "SHA1",
        "ZZ40",
        "PhotoDNA",
        "Lace",
        "Image ID",
        "Is distributed",
        "Victim identified",
        "Offender identified",
        "Series name",
        "Investigation name",
        "Agency",
        "Number of submissions",
        "File Available",
        "Media Type",
        "Baseline",
    ]

    def row(name: str, number: int, baseline: str, md5: str = "") -> list[str]:
        return [
            md5 or digest("md5", name),
            digest("sha1", name),
            "",
            "00" * 144,
            "",
            f"I{number}",
            "N",
            "N",
            "N",
            "",
            "",
            "EX",
            "1",
            "True",
            "Image",
            baseline,
            "",
        ]

    write_csv(
        "icse.csv",
        [
            header,
            row("cat", 1, "Yes"),
            row("clock", 2, "No"),
            row("harmless 3", 3, "Yes", digest("md5", "harmless 3") + "0"),
        ],
        ";",
    )


def vics() -> None:
    """Write vics.json."""
    value = [
        {
            "MediaID": 1,
            "Category": 1,
            "MD5": digest("md5", "cat").upper(),
            "SHA1": digest("sha1", "cat").upper(),
            "MediaSize": 2835,
            "PhotoDNA": base64.b64encode(bytes(144)).decode(),
        },
        {"MediaID": 2, "Category": 2, "MD5": digest("md5", "harmless 2").upper(), "SHA1": None},
        {"MediaID": 3, "Category": 0, "MD5": digest("md5", "clock").upper()},
    ]
    context = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"
    write_json("vics.json", {"odata.context": context, "value": value})


def threatexchange() -> None:
    """Write the ThreatExchange files."""
    added = "2024-05-01T10:00:00+0000"
    write_csv(
        "simple.HASH_PDQ.te",
        [
            [pdq("cat"), "101", added, "media_priority_s0 true_positive"],
            [pdq("clock"), "102", added, "disputed"],
            [pdq("brick"), "103", "mine", "false_positive"],
        ],
    )
    write_csv(
        "simple.HASH_MD5.te",
        [
            [digest("md5", "cat"), "201", added, ""],
            [digest("md5", "harmless 2")[:-1], "202", added, ""],
        ],
    )

    def descriptor(owner: dict[str, str], status: str, **more: object) -> dict[str, object]:
        return {"id": "1", "owner": owner, "status": status, "added_on": added} | more

    other = {"id": "12", "name": "Another Platform"}

    def update(
        id_: str, type_: str, indicator: str, data: list[object] | None, **more: object
    ) -> dict[str, object]:
        told = {
            "id": id_,
            "indicator": indicator,
            "type": type_,
            "last_updated": 1714557600,
            "should_delete": False,
        }
        return told | ({"descriptors": {"data": data}} if data is not None else {}) | more

    tags = {"data": [{"id": "9", "text": "media_priority_s0"}]}
    write_json(
        "threat_updates.json",
        {
            "data": [
                update(
                    "1",
                    "HASH_PDQ",
                    pdq("cat"),
                    [
                        descriptor(OWNER, "MALICIOUS", tags=tags),
                        descriptor(other, "MALICIOUS", tags=["x"]),
                    ],
                ),
                update(
                    "2",
                    "HASH_VIDEO_MD5",
                    digest("md5", "harmless 2"),
                    [descriptor(OWNER, "UNKNOWN")],
                ),
                update(
                    "3",
                    "HASH_PDQ",
                    pdq("clock"),
                    [
                        descriptor(
                            OWNER,
                            "MALICIOUS",
                            reactions=[{"key": "DISAGREE_WITH_TAGS", "value": "13,14"}],
                        ),
                        descriptor(other, "NON_MALICIOUS"),
                    ],
                ),
                update("4", "HASH_PDQ", pdq("brick"), None),
                update(
                    "5",
                    "HASH_PDQ",
                    pdq("rocket"),
                    [descriptor(OWNER, "MALICIOUS")],
                    should_delete=True,
                ),
                update("6", "HASH_PHOTODNA", "00" * 144, [descriptor(OWNER, "MALICIOUS")]),
            ],
            "paging": {"next": "https://graph.example/next"},
        },
    )


def ncmec() -> None:
    """Write the NCMEC files."""

    def entry(kind: str, member: int, id_: str, time: str, *parts: str) -> str:
        return (
            f'  <{kind}>\n   <member id="{member}">Example Member {member}</member>\n'
            f"   <timestamp>2024-0{time}T10:00:00Z</timestamp>\n   <id>{id_}</id>\n"
            + "".join(f"   {part}\n" for part in parts)
            + f"  </{kind}>\n"
        )

    def prints(**values: str) -> str:
        inner = "".join(f"<{kind}>{value}</{kind}>" for kind, value in values.items())
        return f'<fingerprints>{inner}<tmk-pdqf rel="self" href="/x"/></fingerprints>'

    def page(name: str, images: str, videos: str) -> None:
        (HERE / name).write_text(
            f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            f'<queryResult xmlns="{NCMEC}">\n'
            f' <images count="1" maxTimestamp="2024-05-01T10:00:00Z">\n{images} </images>\n'
            f' <videos count="1" maxTimestamp="2024-05-01T10:00:00Z">\n{videos} </videos>\n'
            " <paging>\n  <next>/v2/entries?start=2001&amp;size=1000&amp;max=3000</next>\n"
            " </paging>\n"
            "</queryResult>\n",
            encoding="utf-8",
        )

    feedback = (
        '<feedback><affirmativeFeedback type="Md5"><members><member id="42">M</member></members>'
        '</affirmativeFeedback><negativeFeedback type="Sha1"><reasons><reason guid="g" '
        'name="Not what it says" type="Sha1"/><members><member id="43">N</member></members>'
        "</reasons></negativeFeedback></feedback>"
    )
    cat = prints(md5=digest("md5", "cat"), sha1=digest("sha1", "cat"), pdna="AAAA", pdq=pdq("cat"))
    same = prints(md5=digest("md5", "cat"), sha1=digest("sha1", "cat"))
    class_ = "<classification>A1</classification>"
    page(
        "ncmec.xml",
        entry("image", 42, "image1", "5-01", class_, cat, feedback)
        + entry("image", 43, "imageX", "5-01", class_, same)
        + entry("deletedImage", 43, "image1", "4-02"),
        entry("video", 42, "video1", "4-01", prints(md5=digest("md5", "harmless 1"))),
    )
    page(
        "ncmec_before.xml",
        entry("image", 43, "image1", "4-01", class_, prints(md5=digest("md5", "clock")))
        + entry(
            "image",
            42,
            "image1",
            "3-01",
            "<classification>B2</classification>",
            prints(md5=digest("md5", "brick")),
        ),
        entry("deletedVideo", 42, "video1", "3-01"),
    )


def stopncii() -> None:
    """Write stopncii.json."""

    def record(kind: str, value: str, status: str, **more: object) -> dict[str, object]:
        return {
            "lastModtimestamp": 1714557600,
            "signalType": kind,
            "hashValue": value,
            "hashStatus": status,
            "caseNumbers": {"example-1": status},
        } | more

    blocked = [{"source": "Example Platform", "feedbackValue": "NotBlocked", "tags": []}]
    write_json(
        "stopncii.json",
        {
            "count": 5,
            "nextPageToken": None,
            "nextSetTimestamp": 1714557600,
            "hasMoreRecords": False,
            "hashRecords": [
                record("ImagePDQ", pdq("cat"), "Active", CSPFeedbacks=blocked),
                record("ImagePDQ", pdq("clock"), "Withdrawn"),
                record("ImagePDQ", pdq("brick"), "Deleted", caseNumbers=[]),
                record("VideoMD5", digest("md5", "harmless 1"), "Received"),
                record("VideoTMK", "AAAA", "Active"),
            ],
        },
    )


if __name__ == "__main__":
    plain()
    icse()
    vics()
    threatexchange()
    ncmec()
    stopncii()
