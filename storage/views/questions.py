"""Questions that the views answer, in SQL that both databases know; the inspector and docs/schema.md show them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """One question and the statement that answers it."""

    name: str  #: for addresses; no view has it
    asks: str  #: the question
    sql: str


QUESTIONS = (
    Question(
        "new_this_week",
        "What was new on the last seven listing days?",
        """
SELECT first_listed, title, authors, source, url
FROM papers
WHERE first_listed IN (SELECT day FROM papers_per_day ORDER BY day DESC LIMIT 7)
ORDER BY first_listed DESC, id DESC
""",
    ),
    Question(
        "most_upvoted",
        "Which papers have the most votes?",
        """
SELECT upvotes, title, authors, listed, url
FROM papers
WHERE upvotes IS NOT NULL
ORDER BY upvotes DESC, id
LIMIT 100
""",
    ),
    Question(
        "silent_sources",
        "Which sources fell silent, or cannot be read?",
        """
SELECT source, last_status, last_asked, last_good, last_new, newest_day
FROM source_health
WHERE new_7_days = 0 OR last_status NOT IN ('ok', 'ok-empty', 'not-modified')
ORDER BY last_new IS NOT NULL, last_new, source
""",
    ),
    Question(
        "perhaps_the_same",
        "Which papers may be one work, and who had them?",
        """
SELECT d.title, p.sources, p.key, d.other_title, o.sources AS other_sources, o.key AS other_key
FROM possible_duplicates d
JOIN papers p ON p.id = d.paper_id
JOIN papers o ON o.id = d.other_id
ORDER BY d.paper_id DESC
""",
    ),
    Question(
        "seen_by_several",
        "Which papers did the most sources have?",
        """
SELECT count(DISTINCT s.source) AS sources, p.title, min(s.day) AS first_day, p.url
FROM paper_sightings s
JOIN papers p ON p.id = s.paper_id
GROUP BY p.id, p.title, p.url
HAVING count(DISTINCT s.source) > 1
ORDER BY 1 DESC, p.id DESC
LIMIT 100
""",
    ),
    Question(
        "busiest_authors",
        "Who wrote the most papers?",
        """
SELECT a.author, count(*) AS papers, min(p.first_listed) AS first_day, max(p.listed) AS last_day
FROM paper_authors a
JOIN papers p ON p.id = a.paper_id
GROUP BY a.author
ORDER BY 2 DESC, a.author
LIMIT 100
""",
    ),
    Question(
        "changed_papers",
        "Which papers changed after they were first seen?",
        """
SELECT e.day, e.kind, e.note, p.title, p.url
FROM paper_events e
JOIN papers p ON p.id = e.paper_id
ORDER BY e.id DESC
LIMIT 100
""",
    ),
)
