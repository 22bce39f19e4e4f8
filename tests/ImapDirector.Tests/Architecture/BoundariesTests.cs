using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace ImapDirector.Tests.Architecture;

/// <summary>What is dangerous or belongs to one store lives in one place, where it can be read as a whole.</summary>
public sealed partial class BoundariesTests
{
    [Fact]
    public void Unsafe_code_and_system_calls_live_in_network()
    {
        var elsewhere = Repository.Sources.Where(file => !file.IsBelow("src/ImapDirector.Network"));
        Assert.Empty(elsewhere.SelectMany(file => file.Find(Unsafe())));
        Assert.Empty(Assemblies.Methods.Where(method => method.IsPInvokeImpl && method.Module.Assembly.Name.Name != "ImapDirector.Network").Select(method => method.FullName));
        Assert.DoesNotContain(Repository.Projects.Where(path => path is not ("src/ImapDirector.Network/ImapDirector.Network.csproj" or "tests/ImapDirector.Network.Tests/ImapDirector.Network.Tests.csproj")),
            path => XDocument.Parse(Repository.Read(path)).Descendants("AllowUnsafeBlocks").Any());
    }

    [Fact]
    public void Sql_lives_in_the_store()
    {
        Assert.Contains(Repository.Sources, file => file.IsBelow("src/ImapDirector.Storage/Store") && file.Find(Sql()).Any());
        Assert.Empty(Repository.Sources.Where(file => !file.IsBelow("src/ImapDirector.Storage/Store")).SelectMany(file => file.Find(Sql())));
    }

    [Fact]
    public void Redis_scripts_live_in_the_directory()
    {
        Assert.Contains(Repository.Sources, file => file.IsBelow("src/ImapDirector.Director/Directory") && file.Find(RedisScript()).Any());
        Assert.Empty(Repository.Sources.Where(file => !file.IsBelow("src/ImapDirector.Director/Directory")).SelectMany(file => file.Find(RedisScript())));
        // Others in the director may run one, by its name.
        Assert.Empty(Repository.Sources.SelectMany(file => file.Find(ScriptWithoutName())));
        Assert.Equal(["src/ImapDirector.Director/Directory/RedisScripts.cs"], Repository.Sources.Where(file => file.Find(NewScript()).Any()).Select(file => file.Path));
    }

    [Fact]
    public void Whoever_speaks_TLS_to_others_goes_by_one_policy()
    {
        Assert.Empty(Repository.Sources.Where(file => file.Path is not ("src/ImapDirector.Network/Tls/OutgoingTls.cs" or "src/ImapDirector.Network/Tls/ClientAuthorities.cs"))
            .SelectMany(file => file.Find(OwnPolicy())));
        Assert.Contains(Repository.Sources, file => file.Find(HttpClients()).Any());
        Assert.Empty(Repository.Sources.Where(file => !file.Code.Contains("SslOptions = OutgoingTls.For(", StringComparison.Ordinal)).SelectMany(file => file.Find(HttpClients())));
    }

    [Theory]
    [InlineData("""command.CommandText = "SELECT uid FROM message WHERE id = 1";""", true)]
    [InlineData("\"\"\"\n    INSERT INTO message", true)]
    [InlineData("private readonly SqliteCommand _insert;", true)]
    [InlineData("""writer.Write("* OK SELECT completed"u8);""", false)]
    public void Sql_is_told_from_imap(string code, bool isSql) => Assert.Equal(isSql, Sql().IsMatch(code));

    [GeneratedRegex(@"^(?:[^""\n]|""(?:\\.|[^""\\\n])*"")*?\b(?:unsafe\b|DllImport\b|LibraryImport\b|stackalloc\s+\w+\s*\*)[^\n]*", RegexOptions.Multiline)]
    private static partial Regex Unsafe();

    [GeneratedRegex(@"\bSELECT\s[^;""]*\sFROM\s|\bINSERT\s+(OR\s+\w+\s+)?INTO\b|\bDELETE\s+FROM\b|\bUPDATE\s+\w+\s+SET\b|\bCREATE\s+(UNIQUE\s+)?(TABLE|INDEX)\b|\bPRAGMA\s|\bSqlite(Command|Connection|DataReader|Transaction)\b")]
    private static partial Regex Sql();

    [GeneratedRegex(@"\bnew\s+(SslClientAuthenticationOptions|X509ChainPolicy|X509Chain)\b")]
    private static partial Regex OwnPolicy();

    [GeneratedRegex(@"\bnew\s+(SocketsHttpHandler|HttpClientHandler)\b|\bnew\s+HttpClient\(\)|\bConfigureHttpClient\(")]
    private static partial Regex HttpClients();

    [GeneratedRegex(@"\bredis\.p?call\s*\(|""EVAL(SHA)?\b|\bLuaScript\b")]
    private static partial Regex RedisScript();

    [GeneratedRegex(@"\bScriptEvaluate\w*\(\s*(?!RedisScripts\.|MoveScripts\.|script\.(?:Hash|Text),)[^,\n]*")]
    private static partial Regex ScriptWithoutName();

    [GeneratedRegex(@"\bnew RedisScript\b|\bRedisScript \w+ = new\b")]
    private static partial Regex NewScript();
}
