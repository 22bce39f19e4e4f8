using System.Text;
using Microsoft.Data.Sqlite;

namespace ImapDirector.Storage.Store.Maintenance;

/// <summary>Whether the database is whole, as SQLite sees it, and has the tables, indexes and triggers of its version and no others.</summary>
internal static class DatabaseCheck
{
    private const int MaxFindings = 20;

    // What SQLite makes for itself begins with its name.
    private const string Objects = """
        SELECT type, name, coalesce(sql, '') FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_' ORDER BY name
        """;

    private const string Everything = "SELECT type, name, tbl_name || ' ' || coalesce(sql, '') FROM sqlite_schema LIMIT ?1";

    /// <returns>Whether the rows can be relied on.</returns>
    public static bool Run(StoreConnection store, int version, StoreCondition condition)
    {
        var broken = Damages(store);
        foreach (var line in broken) condition.Add(StoreFindingKind.Database, $"SQLite: {line}", $"{StoreCondition.Repair} (it can mend indexes); else {StoreCondition.Restore}");
        return broken.Count == 0 && CompareSchema(store, version, condition);
    }

    /// <summary>What SQLite finds damaged.</summary>
    public static List<string> Damages(StoreConnection store)
    {
        try
        {
            var lines = store.All($"PRAGMA integrity_check({MaxFindings})", static row => row.GetString(0));
            lines.RemoveAll(static line => line == "ok");
            lines.AddRange(store.All("PRAGMA foreign_key_check", static row => $"a row of {row.GetString(0)} refers to none of {row.GetString(2)}").Take(MaxFindings));
            return lines.ConvertAll(static line => line.ReplaceLineEndings(" "));
        }
        catch (SqliteException broken)
        {
            return [$"error {broken.SqliteExtendedErrorCode}"];
        }
    }

    /// <summary>The indexes and triggers of a version that a store lacks or has otherwise, as statements that make them.</summary>
    public static List<(string Type, string Name, string Sql)> Missing(StoreConnection store, int version)
    {
        var present = store.All(Objects, Read);
        return [.. Expected(version, Objects).Where(wanted => wanted.Type is "index" or "trigger" && !present.Contains(wanted, SameStatement.Instance))];
    }

    /// <summary>Whether SQLite finds every page where it belongs, and every value of its kind. It reads each page once, whatever they say of each other.</summary>
    public static bool IsWhole(StoreConnection store) => store.Scalar<string>("PRAGMA quick_check(1)") == "ok";

    /// <summary>Whether a store has everything that a new database of a version has and nothing else, SQLite's own included.</summary>
    public static bool HasExactly(StoreConnection store, int version)
    {
        var expected = Expected(version, Everything, int.MaxValue);
        var present = store.All(Everything, Read, expected.Count + 1);
        return present.Count == expected.Count && expected.TrueForAll(wanted => present.Contains(wanted, SameStatement.Instance));
    }

    private static bool CompareSchema(StoreConnection store, int version, StoreCondition condition)
    {
        var present = store.All(Objects, Read);
        var expected = Expected(version, Objects);
        var areTablesThere = true;
        foreach (var wanted in expected.Where(wanted => !present.Contains(wanted, SameStatement.Instance)))
        {
            var isTable = wanted.Type is "table" or "view";
            var isThere = present.Any(there => there.Name == wanted.Name);
            areTablesThere &= isThere || !isTable;
            var how = isThere ? "is not as this program makes it" : "is missing";
            condition.Add(StoreFindingKind.Schema, $"the {wanted.Type} {wanted.Name} {how}", isTable ? StoreCondition.Restore : StoreCondition.Repair);
        }
        foreach (var foreign in present.Where(there => expected.TrueForAll(wanted => wanted.Name != there.Name)))
            condition.Add(StoreFindingKind.Schema, $"the {foreign.Type} {StoreCondition.Shown(foreign.Name)} is not this program's", "find out who made it; a trigger can change mail behind the node's back");
        return areTablesThere;
    }

    /// <summary>What a new database of that version has.</summary>
    private static List<(string Type, string Name, string Sql)> Expected(int version, string objects, params ReadOnlySpan<object?> values)
    {
        using var fresh = new StoreConnection(":memory:", readOnly: false);
        foreach (var step in StoreSchema.Steps.Take(version)) fresh.Execute(step);
        return fresh.All(objects, Read, values);
    }

    private static (string Type, string Name, string Sql) Read(SqliteDataReader row) => (row.GetString(0), row.GetString(1), row.GetString(2));

    /// <summary>White space is of no importance in a statement.</summary>
    private sealed class SameStatement : IEqualityComparer<(string Type, string Name, string Sql)>
    {
        public static readonly SameStatement Instance = new();

        public bool Equals((string Type, string Name, string Sql) x, (string Type, string Name, string Sql) y) =>
            x.Type == y.Type && x.Name == y.Name && Plain(x.Sql) == Plain(y.Sql);

        public int GetHashCode((string Type, string Name, string Sql) obj) => HashCode.Combine(obj.Type, obj.Name);

        private static string Plain(string sql)
        {
            var plain = new StringBuilder(sql.Length);
            foreach (var letter in sql)
                if (!char.IsWhiteSpace(letter)) plain.Append(letter);
            return plain.ToString();
        }
    }
}
