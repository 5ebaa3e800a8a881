r"""The TeX commands that a reference may hold, each with the number of its arguments.

Only what LaTeX with amsmath and amssymb defines is here, and nothing that reads files, writes them or defines: a title
from outside cannot bring `\input` into somebody's document.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Between dollars: what stands alone, as a sign or a name.
SYMBOLS = _words(
    """
    alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi
    psi omega varepsilon vartheta varpi varrho varsigma varphi varkappa digamma Gamma Delta Theta Lambda Xi Pi
    Sigma Upsilon Phi Psi Omega aleph beth hbar hslash ell wp Re Im partial nabla infty emptyset varnothing
    prime angle measuredangle triangle surd top bot forall exists nexists neg lnot imath jmath complement pm mp
    times div ast star circ bullet cdot cap cup uplus sqcap sqcup vee wedge lor land setminus smallsetminus wr
    diamond bigtriangleup bigtriangledown triangleleft triangleright oplus ominus otimes oslash odot bigcirc
    dagger ddagger amalg ltimes rtimes leq le geq ge neq ne equiv sim simeq approx approxeq cong propto prec
    succ preceq succeq ll gg lll ggg subset supset subseteq supseteq subsetneq supsetneq sqsubset sqsupset
    sqsubseteq sqsupseteq in ni notin vdash dashv models perp mid nmid parallel nparallel bowtie smile frown
    asymp doteq lesssim gtrsim lessgtr gtrless leqslant geqslant triangleq trianglelefteq trianglerighteq
    therefore because Vdash vDash square blacksquare lozenge blacklozenge leftarrow gets rightarrow to
    leftrightarrow Leftarrow Rightarrow Leftrightarrow longleftarrow longrightarrow longleftrightarrow
    Longleftarrow Longrightarrow Longleftrightarrow implies impliedby iff mapsto longmapsto hookleftarrow
    hookrightarrow uparrow downarrow updownarrow Uparrow Downarrow nearrow searrow swarrow nwarrow
    rightharpoonup rightharpoondown leftharpoonup leftharpoondown rightleftharpoons leadsto rightsquigarrow
    twoheadrightarrow upharpoonright circlearrowleft circlearrowright sum prod coprod int iint iiint oint bigcap
    bigcup bigsqcup bigvee bigwedge bigodot bigotimes bigoplus biguplus arccos arcsin arctan arg cos cosh cot
    coth csc deg det dim exp gcd hom inf ker lg lim liminf limsup ln log max min Pr sec sin sinh sup tan tanh
    langle rangle lceil rceil lfloor rfloor lbrace rbrace lbrack rbrack lvert rvert lVert rVert vert Vert
    backslash dots ldots cdots vdots ddots dotsc dotsb
    """
)

#: Between dollars: what a delimiter follows.
SIZED = _words("left right big Big bigl bigr Bigl Bigr bigg Bigg")

#: Between dollars, but not as somebody's argument.
DECLARING = _words("displaystyle textstyle scriptstyle rm bf it cal quad qquad colon")

_OF_ONE = _words(
    """
    hat check breve acute grave tilde bar vec dot ddot widehat widetilde overline underline overrightarrow
    overleftarrow overbrace underbrace sqrt mathbb mathbf mathcal mathfrak mathit mathrm mathsf mathtt
    boldsymbol pmb operatorname text textbf textit textrm textsf textsc textup textnormal emph mbox
    """
)
_OF_TWO = _words("frac dfrac tfrac binom overset underset stackrel")

#: Every command between dollars, with the number of its arguments.
IN_FORMULAS: dict[str, int] = {
    **dict.fromkeys(SYMBOLS | SIZED | DECLARING, 0),
    **dict.fromkeys(_OF_ONE, 1),
    **dict.fromkeys(_OF_TWO, 2),
}

#: Outside of formulas: letters of names, after which TeX swallows a blank.
LETTERS = _words("ss o O l L ae AE oe OE aa AA i j")

#: Outside of formulas: signs.
SIGNS = _words(
    """
    S P dag ddag copyright pounds dots ldots TeX LaTeX textbackslash textasciitilde textasciicircum textless
    textgreater textbar textbraceleft textbraceright textendash textemdash textquoteleft textquoteright
    textquotedblleft textquotedblright textregistered texttrademark textdegree textbullet
    """
)

#: Outside of formulas: what dresses the group after it; what only holds an address does so with nothing.
DRESS: dict[str, str] = {
    **{
        name: f"\\{name}"
        for name in (
            "emph", "textbf", "textit", "textmd", "textnormal", "textrm", "textsc", "textsf", "textsl", "texttt",
            "textup", "textsuperscript", "textsubscript", "underline", "mbox",
        )
    },
    "url": "",
    "path": "",
}  # fmt: skip

#: Outside of formulas: what dresses the group that it begins, as LaTeX calls it today.
BEGINNING = {
    "em": r"\em ", "bf": r"\bfseries ", "it": r"\itshape ", "rm": r"\rmfamily ", "sc": r"\scshape ",
    "sf": r"\sffamily ", "sl": r"\slshape ", "tt": r"\ttfamily ",
}  # fmt: skip
