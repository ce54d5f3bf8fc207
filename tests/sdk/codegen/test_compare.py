"""What users would notice of a change, and which release it makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from codegen.__main__ import main
from tests.sdk.codegen.documents import BILLING, PRINTING, SHIPMENTS, Edit, edited


@pytest.mark.parametrize(
    ("edit", "said", "release"),
    [
        (("title: Shipments API", "title: Parcels"), "is called `ParcelsClient`", "major"),
        (("Id: printLabel", "Id: printIt"), "method `print_label` is called `print_it`", "major"),
        (("Id: printLabel", "Id: printIt"), "tokens of `print_it`", "major"),
        (
            (
                "printing]\n                succeeded: [printed]\n                failed: [jammed]",
                "printing, jammed]\n                succeeded: [printed]",
            ),
            "state `jammed` of method `print_label` means pending, not failed",
            "major",
        ),
        (("'409': {$ref", "'410': {$ref"), "", "patch"),
        (
            ("        default: {$ref: '#/components/responses/Unexpected'}\n", ""),
            "the error default of method `list_shipments` holds `None`, not `models.Error`",
            "major",
        ),
        (("maximum: 100", "maximum: 50"), "`page_size` of method `list_shipments` has", "major"),
        (("maximum: 100", "maximum: 500"), "`page_size` of method `list_shipments` has", "minor"),
        (("minimum: 1, maximum: 100", "maximum: 100"), "has other limits", "minor"),
        (("minimum: 1, maximum: 100", "minimum: 2"), "has other limits", "major"),
        (("maxLength: 40", "maxLength: 41"), "`reference` of `NewShipment` has other", "minor"),
        (
            ("      security: [{sigv4: []}]", "      security: []"),
            "the request of method `list_shipments` is not signed any more",
            "major",
        ),
        (
            ("summary: Get a shipment.", "deprecated: true"),
            "method `get_shipment` is deprecated",
            "minor",
        ),
        (
            ("links:\n            request:", "x-links:\n            request:"),
            "returns `models.CreateShipment202Response`, not `Handle[models.Shipment]`",
            "major",
        ),
        (
            ("format: uuid}\n  headers", "format: uri}\n  headers"),
            "argument `shipment_id` of method `get_shipment` is `str`, not `UUID`",
            "major",
        ),
        (("name: cursor\n", "name: page\n"), "argument `cursor` of method", "major"),
        (("name: cursor\n", "name: page\n"), "argument `page` of method", "major"),
        (
            (
                "- name: cursor\n          in: query",
                "- name: cursor\n          required: true\n          in: query",
            ),
            "argument `cursor` of method `list_shipments` is required",
            "major",
        ),
        (
            ("[sender, recipient, parcels]", "[sender, parcels]"),
            "`recipient` of `NewShipment` may",
            "minor",
        ),
        (
            ("[weightGrams]", "[weightGrams, contents]"),
            "`contents` of `Parcel` is required",
            "major",
        ),
        (
            ("        pages: {type: integer}", "        pages: {type: string}"),
            "is `str`, not `int`",
            "major",
        ),
        (("[url, pages]", "[url]"), "`pages` of `Label` may be absent", "major"),
        (
            ("maxLength: 40", "maxLength: 30"),
            "`reference` of `NewShipment` has other limits",
            "major",
        ),
        ((", maxLength: 40", ""), "`reference` of `NewShipment` has other limits", "minor"),
        (("nextCursor:", "next:"), "field `next_cursor` of `ShipmentPage` is removed", "major"),
        (("        nextCursor:", "        more: {}\n        nextCursor:"), "field `more`", "minor"),
        (("delivered, returned]", "delivered]"), "value `returned` is removed in `Ship", "major"),
        (("delivered, returned]", "delivered, returned, lost]"), "value `lost` is new", "minor"),
        (("summary: List shipments.", "summary: All."), "", "patch"),
    ],
)
def test_a_change_is_told_with_its_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], edit: Edit, said: str, release: str
) -> None:
    """Removed, renamed, retyped and newly required is major; new is minor; words are a patch."""
    text = SHIPMENTS.read_text("utf-8")
    new = tmp_path / "new.yaml"
    new.write_text(edited(text, edit), "utf-8")
    assert main(["diff", str(SHIPMENTS), str(new)]) == 0
    *changes, last = capsys.readouterr().out.splitlines()
    assert last == f"release: {release}"
    assert any(said in change for change in changes) or not said
    assert changes == [] or said


@pytest.mark.parametrize("document", [BILLING, PRINTING, SHIPMENTS], ids=lambda path: path.stem)
def test_a_document_does_not_differ_from_itself(
    capsys: pytest.CaptureFixture[str], document: Path
) -> None:
    """Nothing changed is nothing told."""
    assert main(["diff", str(document), str(document)]) == 0
    assert capsys.readouterr().out == "release: patch\n"


def test_a_faulty_document_is_not_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The problems of either document are told, and the exit code is 2."""
    assert main(["diff", str(SHIPMENTS), str(tmp_path / "gone.yaml")]) == 2
    assert "gone.yaml:1: #: the document cannot be read" in capsys.readouterr().err
