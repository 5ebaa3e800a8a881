import time
from contextlib import suppress
from datetime import date
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import CollectError, LayoutChanged, PermanentCollectError, RefusedAnswer
from domain.papers import AbstractKind, Announcement, FetchStatus, ListedPaper, Listing
from scrapers.arxiv_authors import names_of
from scrapers.arxiv_mail import looks_like_arxiv_mail, read_arxiv_mail

TEXT = (Path(__file__).parent / "mails" / "arxiv.txt").read_text()
BODY = TEXT.partition("\n\n")[2]
SUBJECT = "cs daily 4 new + 2 crosses received"
DAY = date(2026, 3, 20)
KEPT = {"2603.10001", "2603.10002", "2603.10003", "cs/0601001", "2603.10004", "math/0309136"}


def read(text: str, *, day: date = DAY) -> Listing:
    assert looks_like_arxiv_mail(text)
    return read_arxiv_mail(text, day=day)


def by_id(listing: Listing) -> dict[str | None, ListedPaper]:
    return {paper.ids.arxiv: paper for paper in listing.papers}


def message(body: str, *, encoding: str = "quoted-printable", charset: str = "utf-8", subject: str = SUBJECT) -> str:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = "no-reply@arxiv.org"
    mail["To"] = "cs daily title/abstract distribution <rabble@arxiv.org>"
    mail["Subject"] = subject
    mail.set_content(body, cte=encoding, charset=charset)
    return mail.as_bytes().decode()


def test_a_mail_is_read_as_it_stands() -> None:
    listing = read(TEXT)
    assert (listing.source, listing.status, listing.note) == ("arxiv-mail", FetchStatus.OK, "")
    assert (len(listing.papers), listing.declared, listing.rejected) == (8, 6, 0)
    assert [paper.rank for paper in listing.papers] == list(range(1, 9))
    assert listing.papers[0] == ListedPaper(
        title="Lantern: Training Small Language Models on a Single Winter Night in a Shed",
        rank=1,
        ids=listing.papers[0].ids,
        abstract="Large models are trained for months. We ask how far a model of 40 million parameters gets between "
        "dusk and dawn, and close 61\\% of the gap. The weights follow arXiv:2501.00001 in spirit, see Table 2: "
        "Title: this line belongs to the abstract.",
        abstract_kind=AbstractKind.AUTHORS,
        authors=("Anna Lise Holm", 'M{\\aa}ns \\"Ostg\\aa rd', "Chidi Okafor Jr.", "Ren\\'e Legu\\'ery"),
        author_count=4,
        published=date(2026, 3, 11),
        url="https://arxiv.org/abs/2603.10001",
        categories=("cs.CL", "cs.LG"),
        announcement=Announcement.NEW,
        comment="12 pages, 3 figures; accepted at the Workshop on Dusk",
        journal="Journal of Short Nights 7, 11 (2026)",
    )
    assert (listing.papers[0].ids.arxiv, listing.papers[0].ids.doi) == ("2603.10001", "10.5555/shed.2026.11")
    assert [paper.ids.arxiv for paper in listing.papers if paper.withdrawn] == ["2603.10003"]


def test_authors_that_the_mail_leaves_out_are_counted() -> None:
    paper = read(TEXT).papers[1]
    assert paper.authors == ("The Tide Collaboration", "Yuki Sato", "Jan {van der, Berg}", "Ada Moss")
    assert paper.author_count == 76


def test_crosses_and_replacements_are_told_apart() -> None:
    papers = by_id(read(TEXT))
    assert [paper.announcement for paper in papers.values()] == [
        *[Announcement.NEW] * 4,
        *[Announcement.CROSS] * 2,
        Announcement.REPLACE,
        Announcement.REPLACE_CROSS,
    ]
    assert {identifier for identifier, paper in papers.items() if not paper.only_if_known} == KEPT
    assert papers["math/0309136"].published == date(2003, 9, 8), "that of the first version"
    replaced = papers["2504.03145"]
    assert (replaced.abstract, replaced.abstract_kind, replaced.published) == ("", AbstractKind.NONE, None)
    assert (replaced.title, replaced.ids.doi) == ("Bounds on the Patience of Readers", "10.5555/patience")


def test_what_is_news_is_chosen() -> None:
    chosen = frozenset({Announcement.NEW, Announcement.REPLACE})
    listing = read_arxiv_mail(TEXT, source="mine", day=DAY, announce=chosen)
    assert listing.source == "mine"
    assert {paper.announcement for paper in listing.papers if not paper.only_if_known} == chosen


@pytest.mark.parametrize(
    ("last", "listed"),
    [
        ("Thu 12 Mar 26", date(2026, 3, 13)),
        ("Fri 13 Mar 26", date(2026, 3, 16)),  # announced on Sunday evening
        ("Mon 16 Mar 26", date(2026, 3, 17)),
        ("Thu  2 Mar 2023", date(2023, 3, 3)),
        ("Thu  2 Mar 95", date(1995, 3, 3)),
        ("Tue 31 Feb 26", DAY),
        ("Tue 31 Mar 26", DAY),  # not yet
    ],
)
def test_the_day_is_the_one_that_the_list_page_bears(last: str, listed: date) -> None:
    assert read(TEXT.replace("Thu 12 Mar 26", last)).day == listed


def test_a_mail_that_tells_no_day_is_of_the_day_of_the_visit() -> None:
    start = BODY.index("\\\\\narXiv")
    listing = read(BODY[start:])
    assert (listing.day, listing.declared, len(listing.papers)) == (DAY, None, 8)
    assert listing.status is FetchStatus.OK


@pytest.mark.parametrize("encoding", ["7bit", "quoted-printable", "base64"])
def test_a_saved_message_is_unpacked(encoding: str) -> None:
    listing = read(message(BODY, encoding=encoding))
    assert listing == read(TEXT)
    assert listing.declared == 6


def test_a_message_in_another_charset_is_decoded() -> None:
    mail = message(BODY.replace("Yuki Sato", "Yüki Sato"), encoding="quoted-printable", charset="iso-8859-1")
    assert by_id(read(mail))["2603.10004"].authors == ("Yüki Sato",)


def test_a_message_of_raw_bytes_is_decoded_by_its_own_charset() -> None:
    mail = message(BODY.replace("Yuki Sato", "Yüki Sato"), encoding="8bit", charset="utf-8")
    raw = mail.replace('charset="utf-8"', 'charset="iso-8859-1"').encode("iso-8859-1")
    assert by_id(read(raw.decode("utf-8", "surrogateescape")))["2603.10004"].authors == ("Yüki Sato",)


def test_a_forwarded_message_is_read_inside_its_wrapping() -> None:
    inner = EmailMessage(policy=SMTP)
    inner["Subject"] = SUBJECT
    inner.set_content(BODY)
    outer = EmailMessage(policy=SMTP)
    outer["Subject"] = "Fwd: =?utf-8?q?the_news?="
    outer.set_content("See below.")
    outer.add_alternative("<p>See below.</p>", subtype="html")
    outer.add_attachment(inner)
    assert read(outer.as_bytes().decode()) == read(TEXT)


@pytest.mark.parametrize("mark", ["> ", ">", "> > ", "| "])
def test_a_quoted_mail_is_read(mark: str) -> None:
    quoted = "".join(f"{mark}{line}\n" for line in TEXT.splitlines())
    assert read(f"Dear Ada,\nsee what came today.\n\n{quoted}") == read(TEXT)
    assert read(message(f"Dear Ada,\n{quoted}", subject="Fwd: papers")) == read(TEXT)


def test_a_line_break_of_tex_ends_no_abstract() -> None:
    paper = read(TEXT.replace("  The weights follow", "\\\\ The weights follow")).papers[0]
    assert "the gap. \\\\ The weights follow arXiv:2501.00001" in paper.abstract


def test_an_entry_without_its_last_line_is_read() -> None:
    listing = read(TEXT.replace("\\\\ ( https://arxiv.org/abs/2603.10001 ,  1726kb)\n", ""))
    assert listing.papers == read(TEXT).papers
    assert listing.status is FetchStatus.OK


def test_lines_may_end_as_on_any_system() -> None:
    assert read(TEXT.replace("\n", "\r\n")) == read(TEXT)


def test_continued_lines_without_their_blanks_are_read() -> None:
    bare = TEXT.replace("\n  Shed", "\nShed").replace("\n  Dusk", "\n\u00a0Dusk")
    paper = read(bare).papers[0]
    assert paper.title.endswith("Winter Night in a Shed")
    assert paper.comment.endswith("Workshop on Dusk")


def test_a_mail_without_papers_is_empty() -> None:
    head = TEXT[: TEXT.index("\\\\\narXiv")].replace("4 new + 2 crosses", "0 new + 0 crosses")
    listing = read(head)
    assert (listing.status, listing.papers, listing.day) == (FetchStatus.OK_EMPTY, (), date(2026, 3, 13))


def test_a_mail_that_promises_papers_and_holds_none_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="announces 6 papers and holds none"):
        read(TEXT[: TEXT.index("\\\\\narXiv")])


def test_a_shortfall_is_partial() -> None:
    listing = read(TEXT.replace("4 new", "5 new"))
    assert (listing.status, listing.declared) == (FetchStatus.PARTIAL, 7)
    assert listing.note == "the mail announces 7 new papers and crosses, but 6 are in it"


def test_a_cut_mail_keeps_no_half_abstract() -> None:
    listing = read(TEXT[: TEXT.index("whose span rises")])
    assert listing.status is FetchStatus.PARTIAL
    assert listing.note.endswith("but 2 are in it; the mail is cut in the entry of arXiv:2603.10002")
    assert [(paper.title, bool(paper.abstract)) for paper in listing.papers][1] == ("Tidewater Attention", False)


def test_a_mail_that_is_cut_in_a_title_keeps_no_half_title() -> None:
    listing = read(TEXT[: TEXT.index(" Attention\n")])
    assert (len(listing.papers), listing.rejected, listing.status) == (1, 1, FetchStatus.PARTIAL)


def test_one_bad_entry_is_left_out_and_counted() -> None:
    listing = read(TEXT.replace("arXiv:2603.10002\n", "arXiv:2699.10002\n"))
    assert (len(listing.papers), listing.rejected, listing.status) == (7, 1, FetchStatus.PARTIAL)
    assert listing.note == "1 of 8 entries had no arXiv id or no title and were left out"


def test_several_bad_entries_are_another_layout() -> None:
    with pytest.raises(LayoutChanged, match="8 of 8 entries have no arXiv id or no title"):
        read(TEXT.replace("Title:", "Titel:"))


def test_a_paper_that_stands_twice_is_one() -> None:
    assert len(read(TEXT.replace("2603.10004", "2603.10002")).papers) == 7


def test_several_mails_in_one_file_are_refused() -> None:
    with pytest.raises(PermanentCollectError, match="it holds 2 arXiv mails; save each as a file of its own"):
        read(TEXT + TEXT)
    mailbox = "".join(f"From arxiv Fri Mar 13 00:31:09 2026\n{message(BODY)}\n\n" for _ in range(2))
    assert not looks_like_arxiv_mail(mailbox)
    with pytest.raises(PermanentCollectError, match="mailbox of several messages"):
        read_arxiv_mail(mailbox, day=DAY)


def test_a_mailbox_of_one_message_is_that_message() -> None:
    assert read(f"From arxiv Fri Mar 13 00:31:09 2026\n{message(BODY)}") == read(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Dear diary,\ntoday I read nothing.",
        message("Dear Ada,\nno papers today."),
        "From here to there\nand back",
        "Subject: x\nContent-Type: text/plain; charset=nonsense\nContent-Transfer-Encoding: base64\n\n!!!",
        "Subject: =?x?q?=\nContent-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nbegin 666 a\nM\nend",
    ],
)
def test_other_texts_are_no_alert_mail(text: str) -> None:
    assert not looks_like_arxiv_mail(text)
    with pytest.raises(LayoutChanged, match="no arXiv announcement"):
        read_arxiv_mail(text, day=DAY)


def test_a_message_that_nests_without_end_is_refused() -> None:
    deep = "Subject: x\n" + "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(3_000))
    assert not looks_like_arxiv_mail(deep)
    with pytest.raises(RefusedAnswer, match="nested deeper"):
        read_arxiv_mail(deep, day=DAY)


@pytest.mark.parametrize(
    ("line", "names", "count"),
    [
        ("Ada Moss", ["Ada Moss"], 1),
        ("Ada Moss and Lev Holm", ["Ada Moss", "Lev Holm"], 2),
        ("Ada Moss, Lev Holm, and Jan Berg", ["Ada Moss", "Lev Holm", "Jan Berg"], 3),
        ("A. Moss (Uni (Old, North), Town), B. Holm", ["A. Moss", "B. Holm"], 2),
        ("A. Moss (Uni of X, B. Holm", ["A. Moss", "B. Holm"], 2),
        ("A. Moss), B. Holm", ["A. Moss", "B. Holm"], 2),
        ("Sz\\'ekely, Anders and, Alexander Land", ["Sz\\'ekely", "Anders", "Alexander Land"], 3),
        ("Martin King, III, C. {\\'A}, {a and b}", ["Martin King III", "C. {\\'A}", "{a and b}"], 3),
        ("D. Piazza, et al. (20 additional authors not shown)", ["D. Piazza"], 21),
        ("ATLAS Collaboration: G. Aad, B. Abbott", ["ATLAS Collaboration", "G. Aad", "B. Abbott"], 3),
        ("Ada Moss, Ph.D., Lev Holm, M.D., Jr., Jan Berg, PhD", ["Ada Moss", "Lev Holm Jr.", "Jan Berg"], 3),
        ("Jr., Ada Moss", ["Ada Moss"], 1),
        ("Ada Moss, Anderson and Sons Group and Lev Holm", ["Ada Moss", "Anderson and Sons Group", "Lev Holm"], 3),
        ("", [], 0),
        (" , ;, (1), 2", [], 0),
        ("}}} A, {B", ["}}} A", "{B"], 2),
    ],
)
def test_a_line_of_authors_falls_into_names(line: str, names: list[str], count: int) -> None:
    assert names_of(line) == (tuple(names), count)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 400_000,
        "a (" * 200_000,
        "()" * 200_000,
        ",{" * 200_000,
        " and" * 100_000,
    ],
)
def test_a_hostile_line_of_authors_costs_little(text: str) -> None:
    began = time.process_time()
    names_of(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "\\\\\narXiv:2603.10001\n" * 50_000,
        "\\\\\narXiv:2603.10001\nTitle: a\n" + "Comments: b\n" * 200_000,
        "> " * 500_000,
        ">" * 500_000 + "\\\\\n",
        "Subject: " * 100_000,
        "A: b\n" * 200_000,
        "From x\n" + "\n\nFrom a 1\n" * 50_000,
        "received from  " * 50_000,
        "1 new + " * 100_000,
        "Content-Type: text/plain;" + " a=b;" * 100_000 + "\nSubject: x\n\n" + TEXT,
    ],
)
def test_a_hostile_mail_costs_little(text: str) -> None:
    began = time.process_time()
    looks_like_arxiv_mail(text)
    with suppress(CollectError):
        read_arxiv_mail(text, day=DAY)
    assert time.process_time() - began < 4


def survives(text: str) -> None:
    looks_like_arxiv_mail(text)
    try:
        listing = read_arxiv_mail(text, day=DAY)
    except CollectError:
        return
    assert all(paper.title and paper.ids.arxiv for paper in listing.papers)
    assert len({paper.ids.arxiv for paper in listing.papers}) == len(listing.papers)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_is_read_or_refused(data: st.DataObject) -> None:
    whole = data.draw(st.sampled_from([TEXT, message(BODY), message(BODY, encoding="base64")]))
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 400)))
    survives(whole[:start] + data.draw(st.text(max_size=40)) + whole[end:])


HEADERS = st.sampled_from(
    ["Subject", "Content-Type", "Content-Transfer-Encoding", "From", "MIME-Version", "Content-Disposition"]
)
VALUES = st.sampled_from(
    ["multipart/mixed; boundary=a", "message/rfc822", "text/plain; charset*=x''%", "base64", "=?a?b?c?=", '"']
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(HEADERS, VALUES | st.text(max_size=30)), max_size=8), st.text(max_size=100))
def test_any_headers_are_read_or_refused(headers: list[tuple[str, str]], rest: str) -> None:
    survives("".join(f"{name}: {value}\n" for name, value in headers) + f"\n--a\n{rest}\n--a--\n{BODY}")
