/**
 * The SQL tree: what the parser makes of a request's text, before any name is looked up.
 *
 * Readonly unions, told apart by `kind`. Every node carries `position`, the byte offset from 0 in the text of the request:
 * of the node's first token, but of the operator for an infix or postfix form (`binary`, `like`, `cast` by `::`, …), since
 * that is what an error about it points at.
 *
 * Names are exactly as written (case-sensitive, back-ticks taken off). Nothing here knows the catalog: a `table` source may
 * turn out to be a CTE, a `call` may be a scalar function, an aggregate or a cast.
 */

/** A type by its first name; aliases (`integer`, `i64`, `string`, …) are resolved by the parser. `serial` is bigint with identity. */
export type TypeName =
  | 'bool'
  | 'tinyint'
  | 'smallint'
  | 'int'
  | 'bigint'
  | 'float'
  | 'double'
  | 'text'
  | 'json'
  | 'timestamp'
  | 'interval'
  | 'date'
  | 'vector'
  | 'uuid';

/** A name with its place: a column of a list, an alias. */
export interface Identifier {
  readonly name: string;
  readonly position: number;
}

/** `[schema.]name` of a table, index target, function. `schema` is undefined where none is written. */
export interface ObjectName {
  readonly schema: string | undefined;
  readonly name: string;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Request

/** All statements of a request. BEGIN and COMMIT are checked by the parser and leave nothing behind. */
export interface Request {
  readonly statements: readonly Statement[];
  readonly explain: 'none' | 'explain' | 'profile';
  /** The highest index of a `$n` outside literal VALUES lists, 0 when there is none. */
  readonly parameterCount: number;
}

/** Statements that read and change rows: any number of them make a request. */
export type RowStatement = QueryStatement | Insert | Update | Delete | WithStatement;

/** Statements that stand alone in their request; the parser refuses them beside others. */
export type UtilityStatement =
  | CreateSchema
  | DropSchema
  | AlterSchema
  | CreateTable
  | DropTable
  | AlterTable
  | Truncate
  | CreateIndex
  | DropIndex
  | AlterIndex
  | CreateNode
  | DropNode
  | CreateUser
  | AlterUser
  | DropUser
  | CreateToken
  | CreateReplica
  | DropReplica
  | Replication
  | Subscribe
  | Unsubscribe
  | Show
  | SetSetting
  | Checkpoint;

export type Statement = RowStatement | UtilityStatement;

/** A SELECT (or VALUES) as a statement. */
export interface QueryStatement {
  readonly kind: 'select';
  readonly query: Query;
  readonly position: number;
}

/** A WITH without a main statement: its last CTE is the result. */
export interface WithStatement {
  readonly kind: 'with';
  readonly with: With;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Queries

/** A whole query: `[WITH …] body [ORDER BY …] [LIMIT e] [OFFSET e] [FORMAT 'f']`. */
export interface Query {
  readonly kind: 'query';
  readonly with: With | undefined;
  readonly body: QueryBody;
  readonly orderBy: readonly OrderItem[];
  readonly limit: Expression | undefined;
  readonly offset: Expression | undefined;
  readonly format: Format | undefined;
  readonly position: number;
}

/** A `query` in a body is a parenthesised one with clauses of its own: `(select … limit 1) union …`. */
export type QueryBody = SelectCore | SetOperation | ValuesBody | Query;

export interface SelectCore {
  readonly kind: 'core';
  /** `'none'`, `'all'` for DISTINCT, or the expressions of DISTINCT ON. */
  readonly distinct: 'none' | 'all' | readonly GroupItem[];
  readonly items: readonly SelectItem[];
  /** The comma list; empty without FROM. */
  readonly from: readonly Source[];
  readonly where: Expression | undefined;
  readonly groupBy: readonly GroupItem[];
  readonly having: Expression | undefined;
  readonly windows: readonly NamedWindow[];
  readonly position: number;
}

export interface SetOperation {
  readonly kind: 'setOperation';
  readonly operator: 'union' | 'intersect' | 'except';
  readonly all: boolean;
  readonly left: QueryBody;
  readonly right: QueryBody;
  readonly position: number;
}

/** `VALUES (e, …), …` where a select may stand; all rows have the same width, and there is no DEFAULT. */
export interface ValuesBody {
  readonly kind: 'values';
  readonly rows: readonly (readonly Expression[])[];
  readonly position: number;
}

export interface With {
  readonly recursive: boolean;
  readonly entries: readonly CommonTable[];
  readonly position: number;
}

export interface CommonTable {
  readonly name: string;
  /** Undefined without a column list. */
  readonly columns: readonly Identifier[] | undefined;
  readonly statement: Query | Insert | Update | Delete;
  readonly position: number;
}

export type SelectItem = ExpressionItem | StarItem;

export interface ExpressionItem {
  readonly kind: 'expression';
  readonly expression: Expression;
  readonly alias: string | undefined;
  readonly position: number;
}

/** `*` or `t.*` or `s.t.*`; `table` holds the names before the star. */
export interface StarItem {
  readonly kind: 'star';
  readonly table: readonly string[];
  readonly position: number;
}

/** An item of GROUP BY or DISTINCT ON. `ordinal` (from 1) is set when the item is an integer and nothing else: a position in the select list. */
export interface GroupItem {
  readonly expression: Expression;
  readonly ordinal: number | undefined;
}

export interface OrderItem extends GroupItem {
  readonly descending: boolean;
  /** Undefined: NULLs first when ascending, last when descending. */
  readonly nulls: 'first' | 'last' | undefined;
}

export interface Format {
  readonly text: string;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Sources

export type Source = TableSource | SubquerySource | FunctionSource | JoinSource;

/** A table or a CTE. */
export interface TableSource {
  readonly kind: 'table';
  readonly schema: string | undefined;
  readonly name: string;
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
  /** The name in USE INDEX (name). */
  readonly index: Identifier | undefined;
  readonly position: number;
}

/** `[LATERAL] (select …)` or `(VALUES …)`. */
export interface SubquerySource {
  readonly kind: 'subquery';
  readonly query: Query;
  readonly lateral: boolean;
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
  readonly position: number;
}

export interface FunctionSource {
  readonly kind: 'function';
  readonly call: Call;
  readonly lateral: boolean;
  readonly alias: string | undefined;
  readonly columnAliases: readonly Identifier[] | undefined;
  readonly position: number;
}

/** A written join; `cross` has neither condition nor columns, every other has exactly one of them. */
export interface JoinSource {
  readonly kind: 'join';
  readonly type: 'inner' | 'left' | 'right' | 'full' | 'cross';
  readonly left: Source;
  readonly right: Source;
  readonly on: Expression | undefined;
  readonly using: readonly Identifier[] | undefined;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Row statements

/** `position` of Insert, Update and Delete is that of the verb; of their `target` that of the name. */
export interface Insert {
  readonly kind: 'insert';
  readonly with: With | undefined;
  readonly target: ObjectName;
  /** Undefined without a column list, empty for `()`. */
  readonly columns: readonly Identifier[] | undefined;
  readonly source: InsertSource;
  readonly conflict: Conflict | undefined;
  readonly returning: Returning | undefined;
  readonly position: number;
}

export type InsertSource = ValuesSource | LiteralRowsSource | GenerateSource | SelectSource;

/** Rows as trees, all of the same width. */
export interface ValuesSource {
  readonly kind: 'values';
  readonly literalRows: false;
  readonly rows: readonly (readonly (Expression | Default)[])[];
  readonly position: number;
}

/** A VALUES list that the request's Shape holds as cells: list number `list`, `width` cells a row. How many rows is not in the tree. */
export interface LiteralRowsSource {
  readonly kind: 'values';
  readonly literalRows: true;
  readonly list: number;
  readonly width: number;
  readonly position: number;
}

export interface GenerateSource {
  readonly kind: 'generate';
  readonly count: Expression;
  readonly position: number;
}

export interface SelectSource {
  readonly kind: 'select';
  readonly query: Query;
  readonly position: number;
}

/** The word DEFAULT in place of a value. */
export interface Default {
  readonly kind: 'default';
  readonly position: number;
}

export type Conflict =
  | { readonly kind: 'nothing'; readonly position: number }
  | { readonly kind: 'error'; readonly position: number }
  | { readonly kind: 'resolve'; readonly position: number }
  | {
      readonly kind: 'update';
      readonly assignments: readonly Assignment[];
      readonly where: Expression | undefined;
      readonly position: number;
    };

/** `column[.path…] = value`. */
export interface Assignment {
  readonly column: string;
  /** Keys below the column, empty for the column itself. */
  readonly path: readonly string[];
  readonly value: Expression | Default;
  readonly position: number;
}

export interface Returning {
  readonly items: readonly SelectItem[];
  readonly format: Format | undefined;
  readonly position: number;
}

export interface Update {
  readonly kind: 'update';
  readonly with: With | undefined;
  readonly target: ObjectName;
  readonly alias: string | undefined;
  readonly assignments: readonly Assignment[];
  readonly from: readonly Source[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
  readonly position: number;
}

export interface Delete {
  readonly kind: 'delete';
  readonly with: With | undefined;
  readonly target: ObjectName;
  readonly alias: string | undefined;
  readonly using: readonly Source[];
  readonly where: Expression | undefined;
  readonly returning: Returning | undefined;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Expressions

export type Expression =
  | Literal
  | Parameter
  | Name
  | TypedLiteral
  | VectorLiteral
  | ArrayValue
  | ObjectValue
  | Unary
  | Binary
  | IsNull
  | Like
  | Between
  | In
  | Quantified
  | Exists
  | Subquery
  | Case
  | Cast
  | Extract
  | Call
  | Index
  | Field
  | AtTimezone
  | CurrentTime
  | Lambda;

/** A constant. `slot` is its number among the Shape's constants; undefined when the text was parsed without a shape, or its value stays in the shape. */
export type Literal = IntLiteral | DoubleLiteral | TextLiteral | BoolLiteral | NullLiteral;

interface LiteralBase {
  readonly kind: 'literal';
  readonly slot: number | undefined;
  readonly position: number;
}
/** A 64-bit integer; a sign directly before the digits is part of it. */
export interface IntLiteral extends LiteralBase {
  readonly type: 'int';
  readonly value: bigint;
}
export interface DoubleLiteral extends LiteralBase {
  readonly type: 'double';
  readonly value: number;
}
export interface TextLiteral extends LiteralBase {
  readonly type: 'text';
  readonly value: string;
}
export interface BoolLiteral extends LiteralBase {
  readonly type: 'bool';
  readonly value: boolean;
}
export interface NullLiteral extends LiteralBase {
  readonly type: 'null';
  readonly value: null;
}

/** `$n`; `index` from 1. */
export interface Parameter {
  readonly kind: 'parameter';
  readonly index: number;
  readonly position: number;
}

/** `a`, `a.b`, `s.t.c.k`: a column, with or without its table, and keys behind it. `self` and `excluded.c` are names too. */
export interface Name {
  readonly kind: 'name';
  readonly parts: readonly string[];
  readonly position: number;
}

/** `timestamp '…'`, `date '…'`, `interval '…'`, `uuid '…'`: always part of the shape, never a slot. */
export interface TypedLiteral {
  readonly kind: 'typedLiteral';
  readonly type: 'timestamp' | 'date' | 'interval' | 'uuid';
  readonly text: string;
  readonly position: number;
}

/** `vector [e, …]`. */
export interface VectorLiteral {
  readonly kind: 'vector';
  readonly elements: readonly Expression[];
  readonly position: number;
}

/** `[e, …]`. A subquery without parentheses of its own is a `subquery` here, as everywhere. */
export interface ArrayValue {
  readonly kind: 'array';
  readonly elements: readonly Expression[];
  readonly position: number;
}

/** `{"k": e, …}`. */
export interface ObjectValue {
  readonly kind: 'object';
  readonly entries: readonly ObjectEntry[];
  readonly position: number;
}

export interface ObjectEntry {
  readonly key: string;
  readonly value: Expression;
  readonly position: number;
}

export interface Unary {
  readonly kind: 'unary';
  readonly operator: 'not' | '-' | '+' | '~';
  readonly operand: Expression;
  readonly position: number;
}

export type ComparisonOperator = '=' | '<>' | '<' | '<=' | '>' | '>=';
export type BinaryOperator =
  | ComparisonOperator
  | 'or'
  | 'and'
  | '|'
  | '^'
  | '&'
  | '<<'
  | '>>'
  | '+'
  | '-'
  | '||'
  | '*'
  | '/'
  | '%';

/** `!=` is given as `<>`. */
export interface Binary {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly position: number;
}

export interface IsNull {
  readonly kind: 'isNull';
  readonly operand: Expression;
  readonly not: boolean;
  readonly position: number;
}

export interface Like {
  readonly kind: 'like';
  readonly operand: Expression;
  readonly pattern: Expression;
  readonly not: boolean;
  readonly position: number;
}

export interface Between {
  readonly kind: 'between';
  readonly operand: Expression;
  readonly low: Expression;
  readonly high: Expression;
  readonly not: boolean;
  readonly position: number;
}

/** An item that is a `subquery` stands for all its rows. */
export interface In {
  readonly kind: 'in';
  readonly operand: Expression;
  readonly items: readonly Expression[];
  readonly not: boolean;
  readonly position: number;
}

/** `e op ANY|ALL (…)`; `set` is a `subquery` for all its rows, or an expression that gives a JSON array. */
export interface Quantified {
  readonly kind: 'quantified';
  readonly operator: ComparisonOperator;
  readonly quantifier: 'any' | 'all';
  readonly operand: Expression;
  readonly set: Expression;
  readonly position: number;
}

/** NOT EXISTS is a `unary` not around it. */
export interface Exists {
  readonly kind: 'exists';
  readonly query: Query;
  readonly position: number;
}

/** A scalar subquery. */
export interface Subquery {
  readonly kind: 'subquery';
  readonly query: Query;
  readonly position: number;
}

export interface Case {
  readonly kind: 'case';
  /** The `e` of `CASE e WHEN …`. */
  readonly operand: Expression | undefined;
  readonly branches: readonly CaseBranch[];
  readonly otherwise: Expression | undefined;
  readonly position: number;
}

export interface CaseBranch {
  readonly when: Expression;
  readonly result: Expression;
}

/** `CAST(e AS type)` or `e::type`. `type(e)` is a `call` of that name. */
export interface Cast {
  readonly kind: 'cast';
  readonly operand: Expression;
  readonly type: TypeName;
  readonly position: number;
}

/** `EXTRACT(field FROM e)`; `field` as written. */
export interface Extract {
  readonly kind: 'extract';
  readonly field: string;
  readonly operand: Expression;
  readonly position: number;
}

/** A function or aggregate. A method call `v::f(a)` has its value as the first argument and `method` true. */
export interface Call {
  readonly kind: 'call';
  readonly schema: string | undefined;
  readonly name: string;
  readonly arguments: readonly Expression[];
  readonly method: boolean;
  /** `count(*)`: no arguments. */
  readonly star: boolean;
  readonly distinct: boolean;
  /** ORDER BY inside the parentheses. */
  readonly orderBy: readonly OrderItem[];
  /** FILTER (WHERE e). */
  readonly filter: Expression | undefined;
  /** OVER name, or OVER (…). */
  readonly over: Identifier | WindowSpecification | undefined;
  readonly position: number;
}

export interface WindowSpecification {
  readonly kind: 'window';
  /** The window that this one starts from, by name. */
  readonly base: Identifier | undefined;
  readonly partitionBy: readonly Expression[];
  readonly orderBy: readonly OrderItem[];
  readonly frame: WindowFrame | undefined;
  readonly position: number;
}

export interface NamedWindow {
  readonly name: string;
  readonly specification: WindowSpecification;
  readonly position: number;
}

export interface WindowFrame {
  readonly unit: 'rows' | 'range' | 'groups';
  readonly start: FrameBound;
  /** `currentRow` where only a start is written. */
  readonly end: FrameBound;
  readonly position: number;
}

export type FrameBound =
  | { readonly kind: 'unboundedPreceding' }
  | { readonly kind: 'preceding'; readonly offset: Expression }
  | { readonly kind: 'currentRow' }
  | { readonly kind: 'following'; readonly offset: Expression }
  | { readonly kind: 'unboundedFollowing' };

/** `e[i]`, `e['k']`. */
export interface Index {
  readonly kind: 'index';
  readonly operand: Expression;
  readonly index: Expression;
  readonly position: number;
}

/** `e.k` where e is not itself a name (then it is a longer `name`). */
export interface Field {
  readonly kind: 'field';
  readonly operand: Expression;
  readonly key: string;
  readonly position: number;
}

/** `e AT TIMEZONE 'zone'`; a text literal as zone stays in the shape. */
export interface AtTimezone {
  readonly kind: 'atTimezone';
  readonly operand: Expression;
  readonly zone: Expression;
  readonly position: number;
}

export interface CurrentTime {
  readonly kind: 'current';
  readonly what: 'timestamp' | 'date';
  readonly position: number;
}

/** `seed -> body`, where the body calls the state `self`. */
export interface Lambda {
  readonly kind: 'lambda';
  readonly seed: Expression;
  readonly body: Expression;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Schemas, tables, indexes

export interface CreateSchema {
  readonly kind: 'createSchema';
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly position: number;
}

export interface DropSchema {
  readonly kind: 'dropSchema';
  readonly ifExists: boolean;
  readonly name: string;
  readonly cascade: boolean;
  readonly position: number;
}

export interface AlterSchema {
  readonly kind: 'alterSchema';
  readonly ifExists: boolean;
  readonly name: string;
  readonly newName: string;
  readonly position: number;
}

export type IndexType = 'tree' | 'hash';

export interface CreateTable {
  readonly kind: 'createTable';
  readonly ifNotExists: boolean;
  readonly unlogged: boolean;
  readonly shared: boolean;
  readonly target: ObjectName;
  readonly columns: readonly ColumnDefinition[];
  /** PRIMARY KEY (column, …) as an item of its own; undefined where columns carry the constraint. */
  readonly primaryKey: readonly Identifier[] | undefined;
  readonly partitions: { readonly count: bigint; readonly position: number } | undefined;
  readonly indexType: IndexType | undefined;
  readonly position: number;
}

export interface ColumnDefinition {
  readonly name: string;
  readonly type: TypeName;
  readonly constraints: readonly ColumnConstraint[];
  readonly position: number;
}

/** An expression kept with the table: its tree, and its text for the catalog (`parseExpression` reads it back). */
export interface StoredExpression {
  readonly expression: Expression;
  readonly text: string;
}

export type ColumnConstraint =
  | { readonly kind: 'notNull'; readonly position: number }
  | { readonly kind: 'primaryKey'; readonly position: number }
  | { readonly kind: 'default'; readonly value: StoredExpression; readonly position: number }
  /** Without a modulo: below 2^63. */
  | { readonly kind: 'random'; readonly modulo: bigint | undefined; readonly position: number }
  | GeneratedConstraint;

export type GeneratedConstraint =
  | { readonly kind: 'identity'; readonly position: number }
  | { readonly kind: 'stored'; readonly value: StoredExpression; readonly position: number }
  | { readonly kind: 'resolved'; readonly value: StoredExpression; readonly position: number };

export interface DropTable {
  readonly kind: 'dropTable';
  readonly ifExists: boolean;
  readonly target: ObjectName;
  readonly position: number;
}

export interface Truncate {
  readonly kind: 'truncate';
  readonly ifExists: boolean;
  readonly target: ObjectName;
  readonly position: number;
}

export interface AlterTable {
  readonly kind: 'alterTable';
  readonly ifExists: boolean;
  readonly target: ObjectName;
  readonly action: AlterTableAction;
  readonly position: number;
}

export type AlterTableAction =
  | { readonly kind: 'addColumn'; readonly column: ColumnDefinition }
  | { readonly kind: 'dropColumn'; readonly column: Identifier }
  | { readonly kind: 'rename'; readonly target: ObjectName }
  | { readonly kind: 'renameColumn'; readonly column: Identifier; readonly newName: Identifier }
  | { readonly kind: 'setIdentity'; readonly value: bigint }
  | { readonly kind: 'setLogged'; readonly logged: boolean }
  | { readonly kind: 'setDefault'; readonly column: Identifier; readonly value: StoredExpression }
  | { readonly kind: 'setGenerated'; readonly column: Identifier; readonly constraint: GeneratedConstraint }
  | {
      readonly kind: 'unset';
      readonly column: Identifier;
      readonly constraint: 'default' | 'identity' | 'stored' | 'resolved';
    };

export interface CreateIndex {
  readonly kind: 'createIndex';
  readonly unique: boolean;
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly target: ObjectName;
  readonly columns: readonly IndexColumn[];
  readonly indexType: IndexType | undefined;
  readonly position: number;
}

export interface IndexColumn extends Identifier {
  readonly descending: boolean;
}

export interface DropIndex {
  readonly kind: 'dropIndex';
  readonly ifExists: boolean;
  readonly name: string;
  readonly target: ObjectName;
  readonly position: number;
}

export interface AlterIndex {
  readonly kind: 'alterIndex';
  readonly ifExists: boolean;
  readonly name: string;
  readonly target: ObjectName;
  readonly newName: string;
  readonly position: number;
}

// ---------------------------------------------------------------------------------------------------------------------
// Nodes, users, replication, settings

/** Ids are uuids as text, not checked by the parser. */
export interface CreateNode {
  readonly kind: 'createNode';
  readonly ifNotExists: boolean;
  readonly id: string | undefined;
  readonly position: number;
}

export interface DropNode {
  readonly kind: 'dropNode';
  readonly ifExists: boolean;
  readonly id: string;
  readonly position: number;
}

export interface CreateUser {
  readonly kind: 'createUser';
  readonly ifNotExists: boolean;
  readonly name: string;
  readonly secret: string | undefined;
  readonly position: number;
}

export interface AlterUser {
  readonly kind: 'alterUser';
  readonly name: string;
  readonly secret: string;
  readonly position: number;
}

export interface DropUser {
  readonly kind: 'dropUser';
  readonly ifExists: boolean;
  readonly name: string;
  readonly position: number;
}

export interface CreateToken {
  readonly kind: 'createToken';
  readonly user: string;
  /** The text of an interval. */
  readonly expire: { readonly text: string; readonly position: number } | undefined;
  readonly position: number;
}

export interface CreateReplica {
  readonly kind: 'createReplica';
  readonly ifNotExists: boolean;
  readonly id: string;
  readonly uri: string;
  readonly token: string | undefined;
  readonly tlsCapath: string | undefined;
  readonly tlsCa: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly position: number;
}

export interface DropReplica {
  readonly kind: 'dropReplica';
  readonly ifExists: boolean;
  readonly id: string;
  readonly position: number;
}

/** START | STOP REPLICATION | REPL. */
export interface Replication {
  readonly kind: 'replication';
  readonly start: boolean;
  readonly position: number;
}

export interface Subscribe {
  readonly kind: 'subscribe';
  readonly id: string;
  readonly position: number;
}

export interface Unsubscribe {
  readonly kind: 'unsubscribe';
  readonly position: number;
}

export type ShowObject =
  | 'setting'
  | 'all'
  | 'config'
  | 'users'
  | 'user'
  | 'nodes'
  | 'node'
  | 'replicas'
  | 'replica'
  | 'repl'
  | 'replication'
  | 'wal'
  | 'status'
  | 'schemas'
  | 'schema'
  | 'tables'
  | 'table'
  | 'indexes'
  | 'statements';

export interface Show {
  readonly kind: 'show';
  readonly what: ShowObject;
  /** Of the setting, user, node, replica, schema or table. */
  readonly name: string | undefined;
  /** Of TABLES and TABLE: `IN s`, `FROM s` or `s.t`. */
  readonly schema: string | undefined;
  readonly extended: boolean;
  readonly format: Format | undefined;
  readonly position: number;
}

export interface SetSetting {
  readonly kind: 'set';
  readonly name: string;
  readonly value: Literal;
  readonly position: number;
}

export interface Checkpoint {
  readonly kind: 'checkpoint';
  readonly workers: bigint | undefined;
  readonly position: number;
}
