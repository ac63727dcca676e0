"""Each test makes an application anew; what its routes are compiled to is made once for all."""

from werkzeug.routing import Rule


def compile_once() -> None:
    """Keep the functions that build addresses: making 250 of them is most of making an application.

    They depend on nothing but the parts of the rule, unless it has defaults.
    """
    compile_builder, made = Rule._compile_builder, {}

    def kept(rule: Rule, append_unknown: bool = True) -> object:
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (*rule._trace, append_unknown)
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    Rule._compile_builder = kept
