"""Papers as bibliographies, tables and archives hold them."""
