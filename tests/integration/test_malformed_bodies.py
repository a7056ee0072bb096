"""Whatever a body is, it is stored, rejected by index or refused, with words that say what is wrong; nothing breaks."""

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
import zstandard

from ledger.ledger import Ledger
from metering.errors import BodyRefusedError
from metering.intake import Intake, IntakeSettings
from metering.requests import Answer
from tests.malformed import ITEMS, VALUES, Case, with_value
from tests.place import ANSWER_S, Place, body, counts, event

BODY_MAX = 2**20


class Door:
    """An intake, and what is said at it."""

    def __init__(self, ledger: Ledger, intake: Intake) -> None:
        self.ledger = ledger
        self.intake = intake

    def sent(
        self, sent: bytes, content_type: str = "application/json", encoding: str = ""
    ) -> Answer | BodyRefusedError:
        """The answer or the refusal; anything else that is raised fails the test."""
        assert self.intake.reserve(len(sent))
        answer = self.intake.submit("default", sent, content_type, encoding, reserved=len(sent))
        try:
            return answer.result(ANSWER_S)
        except BodyRefusedError as refusal:
            return refusal
        finally:
            assert self.intake.inflight_bytes == 0
            assert self.intake.failure is None

    def refused(self, sent: bytes, content_type: str = "application/json", encoding: str = "") -> BodyRefusedError:
        """The refusal of a body that has to be refused, with nothing of it stored."""
        before = self.ledger.head.block
        refusal = self.sent(sent, content_type, encoding)
        assert isinstance(refusal, BodyRefusedError), refusal
        assert len(refusal.detail) > 10
        assert self.ledger.head.block == before
        return refusal

    def stored(self, sent: bytes, content_type: str = "application/json", encoding: str = "") -> Answer:
        """The answer to a body that has to be read."""
        answer = self.sent(sent, content_type, encoding)
        assert isinstance(answer, Answer), answer.detail
        return answer


@pytest.fixture
def door(place: Place) -> Iterator[Door]:
    settings = IntakeSettings(linger_ms=0, body_bytes_max=BODY_MAX)
    with place.ledger() as ledger, place.intake(ledger, settings) as intake:
        yield Door(ledger, intake)


def of_kind(kind: str) -> list[Case]:
    return [case for case in VALUES if case.kind == kind]


def test_there_are_cases_enough() -> None:
    assert len(VALUES) + len(ITEMS) >= 150
    assert len({case.name for case in VALUES}) == len(VALUES)


def test_what_is_json_is_stored_in_every_form(door: Door) -> None:
    for number, case in enumerate(of_kind("y")):
        one = b"%d" % number
        assert counts(door.stored(b"[" + with_value(b"a" + one, case.value) + b"]"))[0] == 1, case.name
        single = door.stored(with_value(b"b" + one, case.value), "application/cloudevents+json")
        assert (single.accepted, single.single) == (1, True), case.name
        if b"\n" not in case.value and b"\r" not in case.value:
            lines = with_value(b"c" + one, case.value) + b"\n" + with_value(b"d" + one, case.value) + b"\r\n"
            assert counts(door.stored(lines, "application/x-ndjson")) == (2, 0, 0, 0, 0), case.name


def test_what_is_json_is_the_same_event_when_it_is_sent_again_with_spaces(door: Door) -> None:
    for number, case in enumerate(of_kind("y")):
        one = b"%d" % number
        answer = door.stored(
            b"[" + with_value(one, case.value) + b"," + with_value(one, b" " + case.value + b" ") + b"]"
        )
        assert counts(answer) == (1, 1, 0, 0, 0), case.name
    again = b",".join(with_value(b"%d" % number, b"\t" + case.value) for number, case in enumerate(of_kind("y")))
    assert counts(door.stored(b"[" + again + b"]")) == (0, len(of_kind("y")), 0, 0, 0)


def test_what_is_not_json_is_refused_whole_in_an_array_and_alone(door: Door) -> None:
    for case in of_kind("n"):
        good = with_value(b"good", b"1")
        refusal = door.refused(b"[" + good + b"," + with_value(b"bad", case.value) + b"," + good + b"]")
        assert refusal.status == 400, case.name
        assert door.refused(with_value(b"bad", case.value), "application/cloudevents+json").status == 400, case.name
        assert door.refused(with_value(b"bad", case.value), "application/json").status == 400, case.name


def test_a_line_that_is_not_json_is_rejected_by_its_index_and_the_others_are_stored(door: Door) -> None:
    for number, case in enumerate(of_kind("n")):
        if b"\n" in case.value:
            continue
        first, last = (with_value(b"%s%d" % (end, number), b"1") for end in (b"first", b"last"))
        lines = first + b"\n" + with_value(b"bad", case.value) + b"\n\n" + last
        try:
            case.value.decode()
        except UnicodeDecodeError:
            assert door.refused(lines, "application/x-ndjson").status == 400, case.name
            continue
        answer = door.stored(lines, "application/x-ndjson")
        assert counts(answer) == (2, 0, 0, 0, 1), case.name
        assert answer.rejected[0].index == 1, case.name
        assert len(answer.rejected[0].reason) > 10, case.name


def test_what_the_standard_leaves_open_is_stored_or_refused(door: Door) -> None:
    for number, case in enumerate(of_kind("i")):
        said = door.sent(b"[" + with_value(b"%d" % number, case.value) + b"]")
        assert (said.accepted == 1) if isinstance(said, Answer) else (said.status == 400), case.name


def test_values_that_are_not_json_are_refused_where_the_quantity_is_read(door: Door) -> None:
    for case in of_kind("n"):
        sent = with_value(b"a", b"1").replace(b'"gb":"1"', b'"gb":' + case.value)
        assert door.refused(b"[" + sent + b"]").status == 400, case.name


def test_values_that_are_json_are_read_or_quarantined_where_the_quantity_is_read(door: Door) -> None:
    for number, case in enumerate(of_kind("y")):
        sent = with_value(b"%d" % number, b"1").replace(b'"gb":"1"', b'"gb":' + case.value)
        answer = door.stored(b"[" + sent + b"," + with_value(b"good%d" % number, b"1") + b"]")
        assert answer.accepted + answer.quarantined == 2, case.name
        assert answer.accepted >= 1, case.name


def test_an_item_that_is_no_event_is_rejected_and_refuses_no_other(door: Door) -> None:
    for number, (name, item) in enumerate(ITEMS.items()):
        good = [with_value(b"%d-%d" % (number, place), b"1") for place in range(2)]
        answer = door.stored(b"[" + good[0] + b"," + item + b"," + good[1] + b"]")
        assert counts(answer) == (2, 0, 0, 0, 1), name
        (rejection,) = answer.rejected
        assert rejection.index == 1, name
        assert len(rejection.reason) > 20, name
        assert len(rejection.reason) < 500, name
        lines = door.stored(b"\n".join([good[0], item, good[1]]), "application/x-ndjson")
        assert counts(lines) == (0, 2, 0, 0, 1), name
        assert lines.rejected[0].code == rejection.code, name


def test_all_that_is_wrong_with_a_batch_is_said_at_once(door: Door) -> None:
    answer = door.stored(b"[" + b",".join(ITEMS.values()) + b"]")
    assert counts(answer) == (0, 0, 0, 0, len(ITEMS))
    assert [rejection.index for rejection in answer.rejected] == list(range(len(ITEMS)))


def test_a_single_event_that_is_rejected_says_it_was_single(door: Door) -> None:
    for content_type in ("application/cloudevents+json", "application/json"):
        answer = door.stored(b'{"id":1}', content_type)
        assert (answer.single, len(answer.rejected)) == (True, 1)


@pytest.mark.parametrize(
    "sent",
    [b"", b" ", b"\n", b"null", b"true", b"1", b'"a"', b"[1", b"]", b"\xef\xbb\xbf[]", b"[]\xef\xbb\xbf", b"[][]",
     b"{}{}", b"[{}", b"\x00", b"\x1f\x8b", b"id,source\n1,2", b"<xml/>", b"[" * 100_000, b'{"a":' * 100_000],
    ids=lambda sent: repr(sent[:12]),
)  # fmt: skip
def test_a_body_that_holds_no_events_is_refused(door: Door, sent: bytes) -> None:
    assert door.refused(sent).status == 400


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_body_in_another_encoding_is_refused(door: Door, encoding: str) -> None:
    assert door.refused(body(event("é")).decode().encode(encoding)).status == 400


def test_a_byte_that_is_not_utf8_is_said_where_it_stands(door: Door) -> None:
    assert "byte 30" in door.refused(b'[{"id":"' + b"a" * 22 + b'\xe9"}]').detail
    assert "UTF-8" in door.refused(b"[\xff]").detail


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/xml", "multipart/form-data", "application/jsonp", "json", ";", "*/*"],
)
def test_another_media_type_is_refused_with_the_ones_expected(door: Door, content_type: str) -> None:
    refusal = door.refused(body(event("a")), content_type)
    assert refusal.status == 415
    assert "application/x-ndjson" in refusal.detail


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "iso-8859-1", '"utf-7"'])
def test_another_charset_is_refused(door: Door, charset: str) -> None:
    assert door.refused(body(event("a")), f"application/json; charset={charset}").status == 415


@pytest.mark.parametrize(
    "content_type",
    ["application/json; charset=utf-8", 'Application/JSON;Charset="UTF-8"', "application/json ; v=1; charset=US-ASCII"],
)
def test_what_says_the_same_in_other_words_is_taken(door: Door, content_type: str) -> None:
    assert door.stored(body(event("a")), content_type).accepted == 1


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd,gzip", "x"])
def test_another_content_encoding_is_refused(door: Door, encoding: str) -> None:
    refusal = door.refused(body(event("a")), encoding=encoding)
    assert refusal.status == 415
    assert "identity, gzip or zstd" in refusal.detail


def zstd(plain: bytes) -> bytes:
    return bytes(zstandard.ZstdCompressor().compress(plain))


def checked_zstd(plain: bytes) -> bytes:
    return bytes(zstandard.ZstdCompressor(write_checksum=True).compress(plain))


def unsized_zstd(plain: bytes) -> bytes:
    return bytes(zstandard.ZstdCompressor(write_content_size=False).compress(plain))


PACKERS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd}


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_in_several_members_is_one_body(door: Door, encoding: str) -> None:
    plain = body(event("a"), event("b"))
    pack = PACKERS[encoding]
    for cut in (0, 1, len(plain) // 2, len(plain)):
        answer = door.stored(pack(plain[:cut]) + pack(b"") + pack(plain[cut:]), encoding=encoding)
        assert sum(counts(answer)) == 2


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_compressed_body_cut_anywhere_is_refused(door: Door, encoding: str) -> None:
    """As lines, so that what there is of it would still be events."""
    plain = b"\n".join(with_value(b"%d" % number, b'"%d"' % (number * 7_919)) for number in range(2_000))
    packed = PACKERS[encoding](plain)
    for cut in (*range(12), 100, len(packed) // 2, len(packed) - 9, len(packed) - 4, len(packed) - 1):
        assert door.refused(packed[:cut], "application/x-ndjson", encoding).status == 400, cut
    assert door.stored(packed, "application/x-ndjson", encoding).accepted == 2_000


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_compressed_body_with_something_else_behind_it_is_refused(door: Door, encoding: str) -> None:
    for behind in (b"\0", b"garbage", body(event("b")), b"\x1f\x8b", b"\x28\xb5\x2f\xfd"):
        assert door.refused(PACKERS[encoding](body(event("a"))) + behind, encoding=encoding).status == 400


@pytest.mark.parametrize("encoding", PACKERS)
def test_a_flipped_bit_in_a_compressed_body_is_noticed(door: Door, encoding: str) -> None:
    sent = body(*(event(str(number)) for number in range(50)))
    packed = checked_zstd(sent) if encoding == "zstd" else gzip.compress(sent)
    assert door.stored(packed, encoding=encoding).accepted == 50
    for place in range(4, len(packed), 7):
        flipped = packed[:place] + bytes([packed[place] ^ 16]) + packed[place + 1 :]
        said = door.sent(flipped, encoding=encoding)
        # There are bits that nothing depends on: a time, a window, padding. What is read is then what was sent.
        same = isinstance(said, Answer) and counts(said) == (0, 50, 0, 0, 0)
        assert same or (isinstance(said, BodyRefusedError) and said.status in (400, 413)), place


def test_plain_data_said_to_be_compressed_is_refused_and_the_other_way_round(door: Door) -> None:
    plain = body(event("a"))
    for encoding, pack in PACKERS.items():
        assert door.refused(plain, encoding=encoding).status == 400
        assert door.refused(b"", encoding=encoding).status == 400
        assert door.refused(pack(plain)).status == 400
    assert door.refused(gzip.compress(plain), encoding="zstd").status == 400
    assert door.refused(zlib.compress(plain), encoding="gzip").status == 400


ZEROS = bytes(64 * 2**20)
BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip": ("gzip", lambda: gzip.compress(ZEROS)),
    "gzip of 40 members": ("gzip", lambda: gzip.compress(ZEROS[: 2**20]) * 40),
    "gzip in gzip": ("gzip", lambda: gzip.compress(gzip.compress(ZEROS)) * 3_000),
    "zstd": ("zstd", lambda: zstd(ZEROS)),
    "zstd of 40 frames": ("zstd", lambda: zstd(ZEROS[: 2**20]) * 40),
    "zstd without its size": ("zstd", lambda: unsized_zstd(ZEROS)),
    "zstd in zstd": ("zstd", lambda: zstd(zstd(ZEROS)) * 3_000),
}
"""Most unpack to a thousand times their size, and all to much more than the limit."""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_with_little_more_memory_than_the_limit(door: Door, name: str) -> None:
    encoding, made = BOMBS[name]
    sent = made()
    tracemalloc.start()
    try:
        refusal = door.refused(sent, encoding=encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refusal.status in (400, 413)
    assert (refusal.status == 413) == ("body_bytes_max" in refusal.detail)
    assert peak < 4 * BODY_MAX + 16 * 2**20 + len(sent)


def test_a_body_of_very_many_empty_members_is_refused_at_once(door: Door) -> None:
    for encoding, pack in PACKERS.items():
        assert door.refused(pack(b"") * 100_000, encoding=encoding).status == 400


@pytest.mark.parametrize("encoding", ["", *PACKERS])
def test_the_limit_is_on_what_a_body_unpacks_to_and_exact(door: Door, encoding: str) -> None:
    pack = PACKERS.get(encoding, bytes)
    filled = body(event("a"))[:-1] + b" " * (BODY_MAX - len(body(event("a")))) + b"]"
    assert door.stored(pack(filled), encoding=encoding).accepted == 1
    assert door.refused(pack(filled[:-1] + b" ]"), encoding=encoding).status == 413


def test_names_with_nul_and_beyond_the_basic_plane_are_names(door: Door) -> None:
    names = ["a\0", "\0", "a\0b", "a", "😀", "\U0010ffff", "é", "e\u0301", "\u2028", "x" * 256, "😀" * 256, " ", "\t"]
    assert counts(door.stored(body(*(event(name) for name in names)))) == (len(names), 0, 0, 0, 0)
    assert counts(door.stored(body(*(event(name) for name in names)))) == (0, len(names), 0, 0, 0)
    assert door.stored(body(event("x" * 257), event("😀" * 257))).rejected[1].code == "too_long"


def test_the_last_of_two_keys_counts_in_what_is_read_and_in_what_is_compared(door: Door) -> None:
    twice = with_value(b"a", b"1").replace(b'"gb":"1"', b'"gb":"x","gb":2')
    assert counts(door.stored(b"[" + twice + b"]")) == (1, 0, 0, 0, 0)
    assert counts(door.stored(b"[" + twice.replace(b'"gb":"x",', b"") + b"]")) == (0, 1, 0, 0, 0)
    later = with_value(b"b", b"1").replace(b'{"id":"b"', b'{"id":"first","id":"b"')
    assert counts(door.stored(b"[" + later + b"]")) == (1, 0, 0, 0, 0)
    assert counts(door.stored(b"[" + with_value(b"b", b"1") + b"]")) == (0, 1, 0, 0, 0)


def test_attributes_that_are_not_known_are_let_be(door: Door) -> None:
    sent = with_value(b"a", b"1").replace(b'{"id"', b'{"specversion":"1.0","traceparent":[1,{}],"id"')
    assert door.stored(b"[" + sent + b"]").accepted == 1


def test_one_line_that_holds_two_events_is_rejected_and_one_event_over_two_lines_as_well(door: Door) -> None:
    one, two, three = (with_value(name, b"1") for name in (b"a", b"b", b"c"))
    answer = door.stored(one + two + b"\n" + three, "application/x-ndjson")
    assert counts(answer) == (1, 0, 0, 0, 1)
    split = two.replace(b',"data"', b',\n"data"')
    assert counts(door.stored(one + b"\n" + split, "application/x-ndjson")) == (1, 0, 0, 0, 2)


def test_data_in_a_body_of_its_own_cant_go_on_with_attributes(door: Door) -> None:
    attributes = {"id": "a", "source": "/s", "type": "egress", "subject": "acme", "time": "2026-11-01T12:00:00Z"}

    def sent(data: bytes) -> Answer:
        return door.intake.submit("default", data, attributes=attributes).result(ANSWER_S)

    for data in (b'{"gb":1},"id":"b"', b'{"gb":1}}', b"{", b"NaN", b'{"gb":1},"subject":"other","data":{"gb":2}'):
        with pytest.raises(BodyRefusedError):
            sent(data)
    assert counts(sent(b'{"gb":1}')) == (1, 0, 0, 0, 0)
    assert counts(sent(b' {"gb": 1.0}\n')) == (0, 1, 0, 0, 0)
    assert counts(sent(b"")) == (0, 0, 1, 0, 0)
