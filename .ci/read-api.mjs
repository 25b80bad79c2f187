// Reads what the library exports from the sources, without a compiler: each name of src/index.ts and, step by step,
// each type of this repository that one of them mentions, with its docstring, its declaration and its members.
import { readFileSync } from 'node:fs';
import { parseSync, visitorKeys } from 'oxc-parser';
import { collapse, findDocstring, removeComments } from './source-text.mjs';

const ENTRY = 'src/index.ts';

/** What the library exports, in the order of src/index.ts, and the other types that this mentions, by name. */
export function readApi(root) {
  const open = createReader(root);
  const exported = listExports(open(ENTRY)).map(({ name, path, local }) => {
    const found = resolve(open, open(path), local);
    if (found === undefined) throw new Error(`${ENTRY} exports ${name}, which is not in ${path}`);
    return { name, ...found };
  });
  const entries = followMentions(open, exported);
  const others = entries.slice(exported.length).toSorted((one, other) => (one.name < other.name ? -1 : 1));
  return { exported: entries.slice(0, exported.length), mentioned: others };
}

/** Reads each file once, so that a declaration is the same object wherever it is found. */
function createReader(root) {
  const files = new Map();
  return (path) => {
    if (!files.has(path)) files.set(path, readSource(path, readFileSync(new URL(path, root), 'utf8')));
    return files.get(path);
  };
}

function readSource(path, source) {
  const { program, comments, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  const file = { path, source, comments, body: program.body, imports: new Map(), declarations: new Map() };
  for (const statement of program.body) {
    if (statement.type === 'ImportDeclaration') addImports(file, statement);
    else addDeclarations(file, statement);
  }
  return file;
}

function addImports({ path, imports }, { source, specifiers }) {
  if (!source.value.startsWith('.')) return;
  for (const { type, local, imported } of specifiers) {
    if (type === 'ImportSpecifier')
      imports.set(local.name, { path: findPath(path, source.value), name: imported.name });
  }
}

/** The path of the source that an import of `from` leads to, from the root. */
function findPath(from, specifier) {
  return new URL(specifier, `file:///${from}`).pathname.slice(1).replace(/\.js$/, '.ts');
}

/** A docstring stands before the whole statement, so `start` is that of the statement. */
function addDeclarations({ declarations }, statement) {
  const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
  for (const one of node?.type === 'VariableDeclaration' ? node.declarations : [node]) {
    if (one?.id?.type === 'Identifier') declarations.set(one.id.name, { node: one, start: statement.start });
  }
}

function listExports({ path, body }) {
  return body
    .filter(({ type }) => type === 'ExportNamedDeclaration')
    .flatMap(({ source, specifiers }) =>
      specifiers.map(({ local, exported }) => {
        return { name: exported.name, path: findPath(path, source.value), local: local.name };
      }),
    );
}

/** The declaration that a name stands for in a file; `undefined` for those of packages and of the language. */
function resolve(open, file, name) {
  const declaration = file.declarations.get(name);
  if (declaration !== undefined) return { file, declaration };
  const imported = file.imports.get(name);
  return imported === undefined ? undefined : resolve(open, open(imported.path), imported.name);
}

/** Describes the declarations and, after them, all that they mention. */
function followMentions(open, exported) {
  const names = new Map(exported.map(({ name, declaration }) => [declaration, name]));
  const queue = [...exported];
  const entries = [];
  for (const found of queue) {
    const { mentions, ...entry } = describe(open, found);
    for (const one of mentions) {
      if (names.has(one.declaration)) continue;
      names.set(one.declaration, one.declaration.node.id.name);
      queue.push({ ...one, name: one.declaration.node.id.name });
    }
    entries.push({
      ...entry,
      declaration: found.declaration,
      mentions: mentions.map(({ declaration }) => declaration),
    });
  }
  return entries;
}

function describe(open, { name, file, declaration }) {
  const { node, start } = declaration;
  const isFunction = node.type === 'FunctionDeclaration';
  if (!isFunction && node.type !== 'TSInterfaceDeclaration' && node.type !== 'TSTypeAliasDeclaration')
    throw new Error(`${file.path}: ${name} is neither a function nor a type`);
  const members = isFunction ? [] : listMembers(open, file, node);
  const parts = isFunction ? [...node.params, node.returnType] : [node];
  const places = [...parts.map((part) => ({ file, node: part })), ...members];
  const mentions = places
    .flatMap((place) => listMentions(open, place))
    .filter((one) => one.declaration !== declaration);
  return {
    name,
    isFunction,
    docstring: findDocstring(file, start),
    text: isFunction ? formatSignature(name, file, node) : removeComments(file, node.start, node.end),
    members: members.map((member) => formatMember(member)),
    forms: listForms(file, node.typeAnnotation),
    values: listValues(open, file, node.typeAnnotation),
    mentions: [...new Map(mentions.map((one) => [one.declaration, one])).values()],
  };
}

/** The types of this repository that a piece of source names, in order. */
function listMentions(open, { file, node }) {
  return listNodes(node).flatMap(({ type, typeName, expression }) => {
    const name = { TSTypeReference: typeName, TSInterfaceHeritage: expression }[type]?.name;
    const found = name === undefined ? undefined : resolve(open, file, name);
    return found === undefined ? [] : [found];
  });
}

/** A node and all below it, as they stand in the source. */
function listNodes(node) {
  if (node === null || node === undefined) return [];
  const below = (visitorKeys[node.type] ?? []).flatMap((key) => node[key] ?? []);
  return [node, ...below.flatMap(listNodes)];
}

/** The members of an interface or type, those taken over from others first. Of two with one name the last counts. */
function listMembers(open, file, node) {
  const members =
    node.type === 'TSInterfaceDeclaration'
      ? [
          ...node.extends.flatMap((one) => listMembersOfName(open, file, one.expression.name, one.typeArguments)),
          ...node.body.body.map((one) => ({ file, node: one, optional: one.optional })),
        ]
      : listMembersOfType(open, file, node.typeAnnotation);
  return [...new Map(members.map((one) => [nameMember(one), one])).values()];
}

/** Empty if the type has members that are not written out: a table of the others would look complete. */
function listMembersOfType(open, file, type) {
  switch (type.type) {
    case 'TSTypeLiteral':
      return type.members.map((one) => ({ file, node: one, optional: one.optional }));
    case 'TSIntersectionType': {
      const parts = type.types.map((one) => listMembersOfType(open, file, one));
      return parts.some((part) => part.length === 0) ? [] : parts.flat();
    }
    case 'TSTypeReference':
      return listMembersOfName(open, file, type.typeName.name, type.typeArguments);
    default:
      return [];
  }
}

function listMembersOfName(open, file, name, typeArguments) {
  const [first, second] = typeArguments?.params ?? [];
  const inner = (type) => listMembersOfType(open, file, type);
  switch (name) {
    case 'Partial':
      return inner(first).map((one) => ({ ...one, optional: true }));
    case 'Omit':
      return inner(first).filter((one) => !listLiterals(second).includes(nameMember(one)));
    case 'Pick':
      return inner(first).filter((one) => listLiterals(second).includes(nameMember(one)));
    default: {
      const found = resolve(open, file, name);
      return found === undefined ? [] : listMembers(open, found.file, found.declaration.node);
    }
  }
}

function listLiterals(type) {
  return listNodes(type).flatMap(({ type: kind, literal }) => (kind === 'TSLiteralType' ? [literal.value] : []));
}

function nameMember({ file, node }) {
  if (node.type !== 'TSIndexSignature') return node.key.name ?? String(node.key.value);
  const [parameter] = node.parameters;
  return `[${collapse(file, parameter.start, parameter.end)}]`;
}

function formatMember(member) {
  const { file, node, optional } = member;
  const mark = optional ? '?' : '';
  const docstring = findDocstring(file, node.start);
  if (node.type !== 'TSMethodSignature')
    return { name: `${nameMember(member)}${mark}`, type: formatType(file, node.typeAnnotation), docstring };
  const names = node.params.map((one) => one.name).join(', ');
  const type = `(${formatParameters(file, node)}) => ${formatType(file, node.returnType)}`;
  return { name: `${nameMember(member)}${mark}(${names})`, type, docstring };
}

/** The types between which a union chooses, if one of them has a docstring of its own. */
function listForms(file, type) {
  if (type?.type === 'TSIntersectionType') return type.types.flatMap((one) => listForms(file, one));
  if (type?.type === 'TSParenthesizedType') return listForms(file, type.typeAnnotation);
  if (type?.type !== 'TSUnionType') return [];
  const forms = type.types.map((one) => {
    return { type: collapse(file, one.start, one.end), docstring: findDocstring(file, one.start) };
  });
  return forms.some((one) => one.docstring !== '') ? forms : [];
}

/** The values of the constants from which a type is made. */
function listValues(open, file, type) {
  return listNodes(type).flatMap(({ type: kind, exprName }) => {
    if (kind !== 'TSTypeQuery') return [];
    const found = resolve(open, file, exprName.name);
    const init = found?.declaration.node.init;
    const value = init?.type === 'TSAsExpression' ? init.expression : init;
    if (value?.type === 'ArrayExpression') return value.elements.map((one) => one.value);
    return value?.type === 'ObjectExpression' ? value.properties.map(({ key }) => key.name ?? key.value) : [];
  });
}

function formatSignature(name, file, node) {
  return `function ${name}(${formatParameters(file, node)}): ${formatType(file, node.returnType)};`;
}

/** With a default a parameter may be left out; which default it is, is the function's own business. */
function formatParameters(file, { params }) {
  return params
    .map((one) => {
      const { name, optional, typeAnnotation } = one.type === 'AssignmentPattern' ? one.left : one;
      return `${name}${optional || one.type === 'AssignmentPattern' ? '?' : ''}: ${formatType(file, typeAnnotation)}`;
    })
    .join(', ');
}

function formatType(file, { typeAnnotation }) {
  return collapse(file, typeAnnotation.start, typeAnnotation.end);
}
