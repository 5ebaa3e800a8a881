"""What a browser may load for our pages: nothing but our own style sheet, script, picture and forms."""

import base64
import hashlib

from web.plots.colours import STYLE

_PLOTS = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")


def _policy(*, styles: str = "") -> str:
    return (
        f"default-src 'none'; style-src 'self'{styles}; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    )


#: Of every page that says nothing else: no inline script or style, no form leads elsewhere, nobody frames us.
POLICY = _policy()
#: Of a page with plots, whose one style (plots/colours.py) stands within them.
POLICY_WITH_PLOTS = _policy(styles=f" 'sha256-{_PLOTS}'")
