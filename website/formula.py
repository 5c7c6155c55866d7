"""Formulas of docstrings, which are plain text, as mathematics.

The notation is small: names with `_` for indices and `^` for powers, Greek letters by name, `||` for norms
and divergences, and words between. The browser draws the MathML without any script.
"""

from __future__ import annotations

import re
from itertools import groupby

_GREEK = {"alpha", "beta", "gamma", "lambda", "theta", "pi", "mu", "sigma", "Theta", "Phi", "Gamma"}
_OWN = {"log", "exp", "tanh", "min", "max", "sum", "prod"}  # LaTeX has commands of these names
_FUNCTIONS = {
    *("sigmoid", "softmax", "relu", "sign", "round", "clip", "stop", "sg", "sqrt", "diag", "mean"),
    *("loc", "scale", "argmin", "argmax"),
    *("KL", "TC", "MMD", "CE", "Var", "Cov", "Laplace", "Cauchy", "Bernoulli", "ELBO"),
}
_SYMBOLS = {
    "!=": r"\ne ",
    "<-": r"\leftarrow ",
    ">=": r"\ge ",
    "<=": r"\le ",
    "~": r"\sim ",
    "*": r"\cdot ",
    "..": r"\ldots ",
    " || ": r"\,\|\,",
    "||": r"\|",
    "|": r"\vert ",
    "{": r"\{",
    "}": r"\}",
    ",  ": r",\quad ",
}
_TOKEN = re.compile(
    r"(?P<remark>(?<=\S) {4,}.*)"
    r"|(?P<option>[a-z]{3,}_[a-z]{3,})"
    r"|(?P<fraction>\b[1-9]/(?:[KM]\b|n\^2|n\(n-1\)|\(M K\)))"
    r"|(?P<name>[A-Za-z]+(?:_hat)?)"
    r"|(?P<index>[_^](?:\{[^{}]*\}|\([^()]*\)|[A-Za-z]+|\d+:?\d*|-?\w))"
    r"|(?P<symbol>!=|<-|>=|<=| \|\| |\|\||\.\.|,  +|\d*\.?\d+|.)",
    re.DOTALL,
)


def latex(formula: str) -> str:
    r"""One line of a formula as LaTeX.

    Example:
        >>> from website.formula import latex
        >>> print(latex("E_q[log p(x|z)] - beta KL(q(z|x) || p(z))"))
        E_{q}[\log p(x\vert z)]-\beta \operatorname{KL}(q(z\vert x)\,\|\,p(z))
        >>> print(latex("z = the k largest of ||x - x_hat||^2"))
        z=\text{ the }k\text{ largest of }\|x-\hat{x}\|^{2}
    """
    tokens = [(str(match.lastgroup), match[0]) for match in _TOKEN.finditer(formula)]
    tokens = [token for token in tokens if token[1] != " "]
    pieces = [
        (
            _is_word(tokens, number),
            kind,
            text,
            tokens[number + 1][1] if tokens[number + 1 :] else "",
        )
        for number, (kind, text) in enumerate(tokens)
    ]
    parts = []
    for wordy, group in groupby(pieces, key=lambda piece: piece[0]):
        if wordy:
            words = " ".join(text.strip().replace("_", " ") for _, _, text, _ in group)
            parts.append(rf"\text{{ {words} }}")
        else:
            parts += [_symbol(kind, text, following) for _, kind, text, following in group]
    return "".join(parts).strip()


def mathml(formula: str) -> str:
    """A formula of one or several lines as HTML that browsers draw by themselves."""
    from latex2mathml.converter import convert

    lines = (line.strip() for line in formula.splitlines() if line.strip())
    return f'<div class="formula">{"".join(convert(latex(line), display="block") for line in lines)}</div>'


def _is_word(tokens: list[tuple[str, str]], number: int) -> bool:
    kind, text = tokens[number]
    if kind in ("remark", "option"):
        return True
    if kind != "name" or text.endswith("_hat") or text in _GREEK | _OWN | _FUNCTIONS:
        return False
    following = tokens[number + 1 :][:1]
    if text == "a":  # an article where a word follows
        return bool(following) and _is_word(tokens, number + 1)
    critic = len(text) == 2 and text[0].isupper() and bool(following) and following[0][1] == "("
    return len(text) > 1 and not critic


def _symbol(kind: str, text: str, following: str) -> str:
    if kind == "fraction":
        above, below = text.split("/", 1)
        below = below[1:-1] if below.startswith("(") else below
        return rf"\frac{{{above}}}{{{latex(below)}}}"
    if kind == "index":
        return _index(text)
    if kind == "name":
        if text.endswith("_hat"):
            return rf"\hat{{{text.removesuffix('_hat')}}}"
        if text in _GREEK | _OWN:
            return rf"\{text} "
        if text in _FUNCTIONS:
            return rf"\operatorname{{{text}}}"
        if len(text) == 2:  # Di, Dc, Dz: critics
            return f"{text[0]}_{{{text[1]}}}"
        return r"\mathcal{N}" if text == "N" and following == "(" else text
    return _SYMBOLS.get(text if text.strip() != "," else text[:3], text)


def _index(text: str) -> str:
    mark, inner = text[0], text[1:]
    if inner[0] in "({":
        inner = inner[1:-1]
    if inner.isalpha() and inner not in _GREEK:  # several letters: indices, or a word
        return f"{mark}{{{inner}}}" if len(inner) < 3 else rf"{mark}{{\text{{{inner}}}}}"
    return f"{mark}{{{latex(inner)}}}"
