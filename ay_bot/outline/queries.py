"""What counts as a definition (`@d`) and as a reference (`@r`) in each grammar.

These say what the `tags.scm` files of the grammar packages say, without the capture of documentation, which makes
them slow, and with constants, Kotlin and shell, which have no such file.
"""

from typing import Final

_JAVASCRIPT = """
(function_declaration name: (identifier) @d)
(generator_function_declaration name: (identifier) @d)
(function_expression name: (identifier) @d)
(method_definition name: [(property_identifier) (private_property_identifier)] @d)
(lexical_declaration (variable_declarator name: (identifier) @d value: [(arrow_function) (function_expression)]))
(variable_declaration (variable_declarator name: (identifier) @d value: [(arrow_function) (function_expression)]))
(program (lexical_declaration (variable_declarator name: (identifier) @d)))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @d))))
(assignment_expression
  left: [(identifier) @d (member_expression property: (property_identifier) @d)]
  right: [(arrow_function) (function_expression)])
(pair key: (property_identifier) @d value: [(arrow_function) (function_expression)])
(call_expression function: [(identifier) @r (member_expression property: (property_identifier) @r)])
(new_expression constructor: [(identifier) @r (member_expression property: (property_identifier) @r)])
"""
_JSX = """
(jsx_opening_element name: (identifier) @r)
(jsx_self_closing_element name: (identifier) @r)
"""
_TYPESCRIPT = f"""{_JAVASCRIPT}
(class_declaration name: (type_identifier) @d)
(abstract_class_declaration name: (type_identifier) @d)
(interface_declaration name: (type_identifier) @d)
(type_alias_declaration name: (type_identifier) @d)
(enum_declaration name: (identifier) @d)
(internal_module name: (identifier) @d)
(module name: (identifier) @d)
(function_signature name: (identifier) @d)
(method_signature name: (property_identifier) @d)
(abstract_method_signature name: (property_identifier) @d)
(type_identifier) @r
"""
_C = """
(function_declarator declarator: (identifier) @d)
(struct_specifier name: (type_identifier) @d body: (_))
(union_specifier name: (type_identifier) @d body: (_))
(enum_specifier name: (type_identifier) @d body: (_))
(enumerator name: (identifier) @d)
(type_definition declarator: (type_identifier) @d)
(preproc_def name: (identifier) @d)
(preproc_function_def name: (identifier) @d)
(translation_unit (declaration declarator: (init_declarator declarator: (identifier) @d)))
(call_expression function: [(identifier) @r (field_expression field: (field_identifier) @r)])
(type_identifier) @r
"""
_CPP = f"""{_C}
(function_declarator declarator: (field_identifier) @d)
(function_declarator declarator: (qualified_identifier name: (identifier) @d))
(function_declarator declarator: (destructor_name (identifier) @d))
(class_specifier name: (type_identifier) @d body: (_))
(namespace_definition name: (namespace_identifier) @d)
(alias_declaration name: (type_identifier) @d)
(concept_definition name: (identifier) @d)
(call_expression function: (qualified_identifier name: (identifier) @r))
"""

QUERIES: Final = {
    "bash": """
(function_definition name: (word) @d)
(command name: (command_name (word) @r))
(program (variable_assignment name: (variable_name) @d))
""",
    "c": _C,
    "cpp": _CPP,
    "csharp": """
(class_declaration name: (identifier) @d)
(interface_declaration name: (identifier) @d)
(struct_declaration name: (identifier) @d)
(record_declaration name: (identifier) @d)
(enum_declaration name: (identifier) @d)
(enum_member_declaration name: (identifier) @d)
(delegate_declaration name: (identifier) @d)
(method_declaration name: (identifier) @d)
(constructor_declaration name: (identifier) @d)
(property_declaration name: (identifier) @d)
(event_declaration name: (identifier) @d)
(namespace_declaration name: (_) @d)
(file_scoped_namespace_declaration name: (_) @d)
(object_creation_expression type: (identifier) @r)
(base_list (identifier) @r)
(variable_declaration type: (identifier) @r)
(parameter type: (identifier) @r)
(invocation_expression function: [(identifier) @r (member_access_expression name: (identifier) @r)])
""",
    "go": """
(function_declaration name: (identifier) @d)
(method_declaration name: (field_identifier) @d)
(method_elem name: (field_identifier) @d)
(type_spec name: (type_identifier) @d)
(type_alias name: (type_identifier) @d)
(const_spec name: (identifier) @d)
(source_file (var_declaration [(var_spec name: (identifier) @d) (var_spec_list (var_spec name: (identifier) @d))]))
(call_expression function: [(identifier) @r (selector_expression field: (field_identifier) @r)])
(type_identifier) @r
""",
    "java": """
(class_declaration name: (identifier) @d)
(interface_declaration name: (identifier) @d)
(enum_declaration name: (identifier) @d)
(record_declaration name: (identifier) @d)
(annotation_type_declaration name: (identifier) @d)
(method_declaration name: (identifier) @d)
(constructor_declaration name: (identifier) @d)
(enum_constant name: (identifier) @d)
(field_declaration declarator: (variable_declarator name: (identifier) @d))
(method_invocation name: (identifier) @r)
(type_identifier) @r
""",
    "javascript": f"""{_JAVASCRIPT}{_JSX}
(class_declaration name: (_) @d)
(class name: (_) @d)
""",
    "kotlin": """
(class_declaration name: (identifier) @d)
(object_declaration name: (identifier) @d)
(function_declaration name: (identifier) @d)
(type_alias type: (identifier) @d)
(enum_entry (identifier) @d)
(source_file (property_declaration (variable_declaration (identifier) @d)))
(class_body (property_declaration (variable_declaration (identifier) @d)))
(call_expression (identifier) @r)
(call_expression (navigation_expression (identifier) @r .))
(user_type (identifier) @r)
""",
    "php": """
(namespace_definition name: (namespace_name) @d)
(interface_declaration name: (name) @d)
(trait_declaration name: (name) @d)
(class_declaration name: (name) @d)
(enum_declaration name: (name) @d)
(function_definition name: (name) @d)
(method_declaration name: (name) @d)
(const_element (name) @d)
(property_element name: (variable_name (name) @d))
(object_creation_expression [(name) @r (qualified_name (name) @r)])
(function_call_expression function: [(name) @r (qualified_name (name) @r)])
(scoped_call_expression name: (name) @r)
(member_call_expression name: (name) @r)
(named_type [(name) @r (qualified_name (name) @r)])
(base_clause (name) @r)
(class_interface_clause [(name) (qualified_name)] @r)
""",
    "python": """
(class_definition name: (identifier) @d)
(function_definition name: (identifier) @d)
(module (expression_statement (assignment left: (identifier) @d)))
(type_alias_statement left: (type (identifier) @d))
(call function: [(identifier) @r (attribute attribute: (identifier) @r)])
(decorator [(identifier) @r (attribute attribute: (identifier) @r)])
(type (identifier) @r)
(class_definition superclasses: (argument_list [(identifier) @r (attribute attribute: (identifier) @r)]))
(import_from_statement name: (dotted_name (identifier) @r))
""",
    "ruby": """
(method name: (_) @d)
(singleton_method name: (_) @d)
(alias name: (_) @d)
(class name: [(constant) @d (scope_resolution name: (_) @d)])
(module name: [(constant) @d (scope_resolution name: (_) @d)])
(assignment left: (constant) @d)
(identifier) @r
(constant) @r
""",
    "rust": """
(struct_item name: (type_identifier) @d)
(enum_item name: (type_identifier) @d)
(enum_variant name: (identifier) @d)
(union_item name: (type_identifier) @d)
(type_item name: (type_identifier) @d)
(trait_item name: (type_identifier) @d)
(mod_item name: (identifier) @d)
(function_item name: (identifier) @d)
(function_signature_item name: (identifier) @d)
(const_item name: (identifier) @d)
(static_item name: (identifier) @d)
(macro_definition name: (identifier) @d)
(call_expression function: [
  (identifier) @r (field_expression field: (field_identifier) @r) (scoped_identifier name: (identifier) @r)])
(macro_invocation macro: [(identifier) @r (scoped_identifier name: (identifier) @r)])
(type_identifier) @r
""",
    "scala": """
(package_clause name: (package_identifier) @d)
(trait_definition name: (identifier) @d)
(enum_definition name: (identifier) @d)
(simple_enum_case name: (identifier) @d)
(full_enum_case name: (identifier) @d)
(class_definition name: (identifier) @d)
(object_definition name: (identifier) @d)
(function_definition name: (identifier) @d)
(function_declaration name: (identifier) @d)
(val_definition pattern: (identifier) @d)
(var_definition pattern: (identifier) @d)
(val_declaration name: (identifier) @d)
(var_declaration name: (identifier) @d)
(given_definition name: (identifier) @d)
(type_definition name: (type_identifier) @d)
(class_parameter name: (identifier) @d)
(call_expression function: [(identifier) @r (field_expression field: (identifier) @r)])
(type_identifier) @r
""",
    "swift": """
(class_declaration name: [(type_identifier) @d (user_type (type_identifier) @d)])
(protocol_declaration name: (type_identifier) @d)
(function_declaration name: (simple_identifier) @d)
(protocol_function_declaration name: (simple_identifier) @d)
(init_declaration "init" @d)
(deinit_declaration "deinit" @d)
(property_declaration (pattern (simple_identifier) @d))
(enum_entry name: (simple_identifier) @d)
(typealias_declaration name: (type_identifier) @d)
(call_expression (simple_identifier) @r)
(call_expression (navigation_expression suffix: (navigation_suffix suffix: (simple_identifier) @r)))
(type_identifier) @r
""",
    "tsx": f"{_TYPESCRIPT}{_JSX}",
    "typescript": _TYPESCRIPT,
}
