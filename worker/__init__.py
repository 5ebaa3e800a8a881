"""When things happen: collect, match, publish, deliver."""
