"""The numbers of the house: sizes of functions and files, share of typed functions.

Run as `python -m scripts.house_numbers`; the architecture tests read the same figures.
"""

import ast
import io
import statistics
import tokenize
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES_OF_A_FUNCTION = 60
MOST_LINES_OF_A_FILE = 400


@dataclass(frozen=True)
class Function:
    """A function of the product: where it is, how long, and whether all of it is typed."""

    place: str
    lines: int
    typed: bool


def product_files() -> list[Path]:
    """Python files of the product: no tests, no migrations."""
    return sorted([*ROOT.glob("*.py"), *(ROOT / "k9ops").rglob("*.py")])


def functions(path: Path) -> list[Function]:
    source = path.read_text()
    code = code_lines(source)
    return [
        Function(
            f"{path.relative_to(ROOT)}:{node.lineno} {node.name}",
            len(code & set(range(node.lineno, (node.end_lineno or 0) + 1)) - doc_lines(node)),
            is_typed(node),
        )
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def code_lines(source: str) -> set[int]:
    """Numbers of the lines that hold code: no blank ones, no comments."""
    quiet = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines


def doc_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[int]:
    if ast.get_docstring(node, clean=False) is None:
        return set()
    return set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))


def is_typed(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    arguments += [extra for extra in (node.args.vararg, node.args.kwarg) if extra]
    named = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
    has_return = node.returns is not None or node.name == "__init__"
    return has_return and all(argument.annotation for argument in named)


def all_functions() -> list[Function]:
    return [function for path in product_files() for function in functions(path)]


def long_files() -> list[str]:
    """Files over the limit, with their lines."""
    sizes = {path: len(path.read_text().splitlines()) for path in product_files()}
    return [
        f"{path.relative_to(ROOT)}: {lines} lines"
        for path, lines in sizes.items()
        if lines > MOST_LINES_OF_A_FILE
    ]


def summary() -> str:
    found = all_functions()
    sizes = sorted(function.lines for function in found)
    longest = max(found, key=lambda function: function.lines)
    typed = sum(function.typed for function in found) / len(found)
    total = sum(len(path.read_text().splitlines()) for path in product_files())
    median, p90 = statistics.median(sizes), sizes[int(len(sizes) * 0.9)]
    rows = {
        "files": f"{len(product_files())}, {total} lines",
        "functions": f"{len(sizes)}",
        "lines of code": f"median {median:g}, p90 {p90}, max {longest.lines} ({longest.place})",
        "typed functions": f"{typed:.1%}",
        f"files over {MOST_LINES_OF_A_FILE}": ", ".join(long_files()) or "none",
    }
    return "\n".join(f"{name:<16}  {value}" for name, value in rows.items())


if __name__ == "__main__":
    print(summary())
