"""Libraries that readers bring: BibTeX files, and what Zotero exports."""
