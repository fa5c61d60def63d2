"""Tree-sitter queries that find uses, bindings and scopes of names."""

from __future__ import annotations

SCOPED_FROM_HERE = frozenset({"go", "rust"})
"""Languages where a local name is seen only after its declaration, so that `url := url.Parse(s)` uses the outer one."""

_PYTHON = """
(identifier) @use
(attribute attribute: (identifier) @skip)
(keyword_argument name: (identifier) @skip)
(import_from_statement module_name: (dotted_name (identifier) @skip))
(import_from_statement module_name: (relative_import (dotted_name (identifier) @skip)))
(function_definition) @scope
(lambda) @scope
[(list_comprehension) (set_comprehension) (dictionary_comprehension) (generator_expression)] @scope
(class_definition) @class
(parameters (identifier) @bind)
(lambda_parameters (identifier) @bind)
(default_parameter name: (identifier) @bind)
(typed_default_parameter name: (identifier) @bind)
(typed_parameter (identifier) @bind)
(typed_parameter (list_splat_pattern (identifier) @bind))
(typed_parameter (dictionary_splat_pattern (identifier) @bind))
(parameters (list_splat_pattern (identifier) @bind))
(parameters (dictionary_splat_pattern (identifier) @bind))
(lambda_parameters (list_splat_pattern (identifier) @bind))
(lambda_parameters (dictionary_splat_pattern (identifier) @bind))
(assignment left: (identifier) @bind)
(augmented_assignment left: (identifier) @bind)
(pattern_list (identifier) @bind)
(tuple_pattern (identifier) @bind)
(list_pattern (identifier) @bind)
(named_expression name: (identifier) @bind)
(as_pattern_target (identifier) @bind)
(for_statement left: (identifier) @bind)
(for_in_clause left: (identifier) @bind)
(function_definition name: (identifier) @bind)
(class_definition name: (identifier) @bind)
(aliased_import alias: (identifier) @bind)
(aliased_import name: (dotted_name (identifier) @skip))
(import_statement name: (dotted_name . (identifier) @bind))
(import_from_statement name: (dotted_name (identifier) @bind))
(case_pattern (dotted_name . (identifier) @bind .))
(global_statement (identifier) @global)
(type) @type
(string_content) @text
((subscript value: [(identifier) @_v (attribute attribute: (identifier) @_v)]
  subscript: (string (string_content) @quoted))
 (#match? @_v "^(Optional|Union|[Ll]ist|[Dd]ict|[Ss]et|[Tt]uple|[Tt]ype|Callable|Sequence|Iterable|Iterator|Mapping)$"))
((call function: [(identifier) @_c (attribute attribute: (identifier) @_c)]
  arguments: (argument_list . (string (string_content) @quoted))) (#eq? @_c "cast"))
([(subscript value: [(identifier) @_l (attribute attribute: (identifier) @_l)]) (generic_type (identifier) @_l)]
 @literal (#eq? @_l "Literal"))
"""

_JS = """
(identifier) @use
(shorthand_property_identifier) @use
[(function_declaration) (function_expression) (generator_function) (generator_function_declaration)
 (arrow_function) (method_definition) (statement_block) (for_statement) (for_in_statement) (catch_clause)
 (class_declaration) (class) (switch_body)] @scope
(variable_declarator name: (identifier) @bind)
(shorthand_property_identifier_pattern) @bind
(array_pattern (identifier) @bind)
(pair_pattern value: (identifier) @bind)
(pair_pattern value: (assignment_pattern left: (identifier) @bind))
(array_pattern (assignment_pattern left: (identifier) @bind))
(rest_pattern (identifier) @bind)
(for_in_statement left: (identifier) @bind)
(catch_clause parameter: (identifier) @bind)
(arrow_function parameter: (identifier) @bind)
(statement_block (function_declaration name: (identifier) @bind))
(function_expression name: (identifier) @bind)
"""

_JAVASCRIPT = (
    _JS
    + """
(formal_parameters (identifier) @bind)
(formal_parameters (assignment_pattern left: (identifier) @bind))
(statement_block (class_declaration name: (identifier) @bind))
"""
)

_TYPESCRIPT = (
    _JS
    + """
(type_identifier) @use
(nested_type_identifier name: (type_identifier) @skip)
[(interface_declaration) (type_alias_declaration) (abstract_class_declaration) (function_signature)
 (method_signature) (abstract_method_signature) (function_type)] @scope
(required_parameter pattern: (identifier) @bind)
(optional_parameter pattern: (identifier) @bind)
(type_parameter name: (type_identifier) @bind)
(infer_type (type_identifier) @bind)
(statement_block (class_declaration name: (type_identifier) @bind))
(statement_block (interface_declaration name: (type_identifier) @bind))
"""
)

_GO = """
(identifier) @use
(type_identifier) @use
(package_identifier) @use
(selector_expression operand: (identifier) @qual)
(qualified_type package: (package_identifier) @qual)
(qualified_type name: (type_identifier) @skip)
(keyed_element . (literal_element (identifier) @skip))
[(function_declaration) (method_declaration) (func_literal) (block) (if_statement) (for_statement)
 (expression_switch_statement) (type_switch_statement) (expression_case) (type_case) (default_case)
 (communication_case) (type_declaration)] @scope
(parameter_declaration name: (identifier) @bind)
(variadic_parameter_declaration name: (identifier) @bind)
(short_var_declaration left: (expression_list (identifier) @bind))
(range_clause left: (expression_list (identifier) @bind))
(var_spec name: (identifier) @bind)
(const_spec name: (identifier) @bind)
(type_parameter_declaration name: (identifier) @bind)
(type_switch_statement alias: (expression_list (identifier) @bind))
(receive_statement left: (expression_list (identifier) @bind))
"""

_RUST = """
(identifier) @use
(type_identifier) @use
(shorthand_field_identifier) @use
(scoped_identifier name: (identifier) @skip)
(scoped_identifier path: (identifier) @path)
(scoped_type_identifier name: (type_identifier) @skip)
(scoped_type_identifier path: (identifier) @path)
[(function_item) (closure_expression) (block) (impl_item) (struct_item) (enum_item) (trait_item) (type_item)
 (for_expression) (match_arm) (if_expression) (while_expression)] @scope
(parameter pattern: (identifier) @bind)
(parameter pattern: (mut_pattern (identifier) @bind))
(let_declaration pattern: (identifier) @bind)
(let_declaration pattern: (mut_pattern (identifier) @bind))
(tuple_pattern (identifier) @bind)
(tuple_pattern (mut_pattern (identifier) @bind))
(tuple_struct_pattern "(" (identifier) @bind)
(closure_parameters (identifier) @bind)
(for_expression pattern: (identifier) @bind)
(type_parameter name: (type_identifier) @bind)
(let_condition pattern: (identifier) @bind)
"""

_JAVA = """
(identifier) @use
(type_identifier) @use
(field_access field: (identifier) @skip)
(method_invocation object: (_) name: (identifier) @skip)
(scoped_type_identifier (_) (type_identifier) @skip)
(scoped_identifier name: (identifier) @skip)
(element_value_pair key: (identifier) @skip)
(method_reference (_) "::" (identifier) @skip)
(method_declaration name: (identifier) @skip)
[(method_declaration) (constructor_declaration) (lambda_expression) (block) (constructor_body) (for_statement)
 (enhanced_for_statement) (catch_clause) (try_with_resources_statement) (class_declaration)
 (interface_declaration) (record_declaration) (switch_block_statement_group)] @scope
(formal_parameter name: (identifier) @bind)
(spread_parameter (variable_declarator name: (identifier) @bind))
(catch_formal_parameter name: (identifier) @bind)
(local_variable_declaration declarator: (variable_declarator name: (identifier) @bind))
(enhanced_for_statement name: (identifier) @bind)
(resource name: (identifier) @bind)
(lambda_expression parameters: (identifier) @bind)
(inferred_parameters (identifier) @bind)
(type_parameter (type_identifier) @bind)
(class_body (class_declaration name: (identifier) @bind))
(class_body (interface_declaration name: (identifier) @bind))
(class_body (enum_declaration name: (identifier) @bind))
(class_body (record_declaration name: (identifier) @bind))
"""

NAMES = {
    "python": _PYTHON,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "javascript": _JAVASCRIPT,
    "go": _GO,
    "rust": _RUST,
    "java": _JAVA,
}
