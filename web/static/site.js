// The one script of the site. Everything works without it: it only saves a click.
"use strict";
