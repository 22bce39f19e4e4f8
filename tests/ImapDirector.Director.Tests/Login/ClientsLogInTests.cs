using System.Security.Cryptography.X509Certificates;
using System.Text.RegularExpressions;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Authentication;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Network.Tls;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Mechanism by password database by client: each logs in with what is right and not with what is wrong.</summary>
public sealed partial class ClientsLogInTests : IDisposable
{
    private const string User = "carol@example.com";
    private const string Right = "right-Pass1";
    private const string Wrong = "wrong-Pass1";

    private static readonly string[] All = ["Redis", "PasswdFile", "Ldap", "Http", "Node"];
    // The others never see what a verifier is made of.
    private static readonly string[] OfVerifiers = ["Redis", "PasswdFile"];
    // The others tell nothing of a user without the password.
    private static readonly string[] OfAccounts = ["Redis", "PasswdFile", "Ldap"];

    private static readonly (string Mechanism, string[] Databases, string[] Clients)[] Rows =
    [
        ("PLAIN", All, ["MailKit", "curl", "Python", "gsasl", "mbsync"]),
        ("LOGIN", All, ["MailKit", "curl", "Python", "gsasl", "mbsync"]),
        ("SCRAM-SHA-256", OfVerifiers, ["MailKit", "gsasl", "mbsync"]),
        ("SCRAM-SHA-256-PLUS", OfVerifiers, ["MailKit", "gsasl"]),
        ("SCRAM-SHA-1", OfVerifiers, ["MailKit", "gsasl", "mbsync"]),
        ("SCRAM-SHA-1-PLUS", OfVerifiers, ["MailKit", "gsasl"]),
        ("OAUTHBEARER", OfAccounts, ["MailKit", "curl", "Python"]),
        ("XOAUTH2", OfAccounts, ["MailKit", "curl", "Python"]),
        ("EXTERNAL", OfAccounts, ["curl", "Python", "gsasl"]),
    ];

    private readonly DirectoryInfo _directory = System.IO.Directory.CreateTempSubdirectory("imapdirector-");
    private readonly ClientAuthority _authority = new();
    private readonly ClientAuthority _stranger = new();

    public static TheoryData<string, string> Table
    {
        get
        {
            var table = new TheoryData<string, string>();
            foreach (var (mechanism, databases, _) in Rows)
                foreach (var database in databases) table.Add(mechanism, database);
            return table;
        }
    }

    public void Dispose()
    {
        _authority.Dispose();
        _stranger.Dispose();
        _directory.Delete(recursive: true);
    }

    [TheoryIfInstalled("redis-server", "slapd", "gsasl", "curl", "python3", "mbsync")]
    [MemberData(nameof(Table))]
    public async Task Clients_log_in_with_what_is_right_and_not_with_what_is_wrong(string mechanism, string database)
    {
        await using var node = Node();
        await using var ldap = database == "Ldap" ? await LdapServer.StartAsync(("carol", "{SSHA}" + Salted(Right))) : null;
        await using var http = new HttpAuthServer(request =>
            HttpAuthServer.Ok(request.Contains($"Auth-User: {User}\r\nAuth-Pass: {Right}\r\n", StringComparison.Ordinal) ? "Auth-Status: OK" : "Auth-Status: Invalid login or password"));
        await using var issuer = new TokenIssuer();
        var scheme = mechanism.StartsWith("SCRAM-SHA-256", StringComparison.Ordinal) ? PasswordScheme.ScramSha256
            : mechanism.StartsWith("SCRAM-SHA-1", StringComparison.Ordinal) ? PasswordScheme.ScramSha1 : PasswordScheme.Sha256Crypt;
        var hash = (await UserAccounts.HashAsync(scheme, System.Text.Encoding.ASCII.GetBytes(Right), CancellationToken.None))!;
        PasswordDatabaseOptions options = database switch
        {
            "PasswdFile" => new PasswdFileOptions { File = await WriteAsync("passwd", $"{User}:{hash}\n") },
            "Ldap" => new LdapDatabaseOptions { Url = ldap!.Url, LookupDn = LdapServer.LookupDn, LookupPassword = LdapServer.LookupPassword, SearchBase = LdapServer.People, Timeout = TimeSpan.FromSeconds(30) },
            "Http" => new HttpDatabaseOptions { Url = http.Url, Timeout = TimeSpan.FromSeconds(30) },
            "Node" => new NodeDatabaseOptions(),
            _ => new RedisDatabaseOptions(),
        };
        var isToken = mechanism is "OAUTHBEARER" or "XOAUTH2";
        var authorities = await WriteAsync("authorities.pem", _authority.Pem);
        await using var director = await RunningDirector.StartAsync(node.Backend, o => o with
        {
            Authentication = new AuthenticationOptions { Mechanisms = [mechanism, .. mechanism == "PLAIN" ? (string[])[] : ["PLAIN"]], Databases = [options], UpgradeHashes = false, Tokens = isToken ? issuer.Options : new TokenOptions() },
            ClientCertificates = mechanism == "EXTERNAL" ? new ClientCertificateOptions(authorities, false) : null,
            Throttle = o.Throttle with { Shared = false, AddressFailures = 100 },
        });
        if (database == "Redis") await director.Redis.Database.HashSetAsync("imapdirector:{carol@example.com}:account", "password", hash);
        var (right, wrong) = mechanism switch
        {
            "EXTERNAL" => (new ShownByClient(Right, await CertifyAsync(_authority, "right.pem")), new ShownByClient(Right, await CertifyAsync(_stranger, "wrong.pem"))),
            _ when isToken => (new ShownByClient(issuer.Token(User)), new ShownByClient(issuer.Token("bob@example.com"))),
            _ => (new ShownByClient(Right), new ShownByClient(Wrong)),
        };

        var programs = new MailPrograms(director, User, _directory.FullName);
        foreach (var client in Rows.Single(row => row.Mechanism == mechanism).Clients)
        {
            var before = await LoginsAsync(director);
            Assert.True(await programs.LogsInAsync(client, mechanism, right), $"{client} is refused");
            var after = await LoginsAsync(director);
            // PLAIN is offered as well: that the client is in is not to say how.
            Assert.Equal([$"{LabelOf(mechanism, client)} success"], after.Where(one => one.Value != before.GetValueOrDefault(one.Key)).Select(static one => one.Key));
            Assert.False(await programs.LogsInAsync(client, mechanism, wrong), $"{client} is let in");
            Assert.All((await LoginsAsync(director)).Where(one => one.Value != after.GetValueOrDefault(one.Key)).Select(static one => one.Key),
                one => Assert.True(one.StartsWith(LabelOf(mechanism, client) + " ", StringComparison.Ordinal) && !one.EndsWith(" success", StringComparison.Ordinal), $"{client}: {one}"));
        }
    }

    // mbsync means the command, where others mean the mechanism of that name.
    private static string LabelOf(string mechanism, string client) =>
        (mechanism, client) is ("LOGIN", "mbsync") ? "login" : "sasl_" + mechanism.ToLowerInvariant().Replace('-', '_');

    /// <summary>How often there was what, by mechanism and result.</summary>
    private static async Task<Dictionary<string, string>> LoginsAsync(RunningDirector director)
    {
        using var text = new MemoryStream();
        await director.Registry.CollectAndExportAsTextAsync(text);
        return LoginsMetric().Matches(System.Text.Encoding.UTF8.GetString(text.ToArray())).Where(static one => one.Groups["count"].Value != "0")
            .ToDictionary(static one => $"{one.Groups["mechanism"].Value} {one.Groups["result"].Value}", static one => one.Groups["count"].Value);
    }

    [GeneratedRegex("^imapdirector_logins_total\\{mechanism=\"(?<mechanism>[^\"]*)\",result=\"(?<result>[^\"]*)\"\\} (?<count>.*)$", RegexOptions.Multiline)]
    private static partial Regex LoginsMetric();

    [Fact]
    public async Task The_table_in_the_documentation_is_the_one_that_is_tried()
    {
        var lines = await File.ReadAllLinesAsync(Path.Combine(AppContext.BaseDirectory, "security.md"));
        var begin = Array.IndexOf(lines, "| mechanism | password databases | clients |");
        Assert.Equal(Rows.Select(row => $"| {row.Mechanism} | {string.Join(", ", row.Databases)} | {string.Join(", ", row.Clients)} |"), lines.Skip(begin + 2).TakeWhile(line => line.StartsWith('|')));
    }

    /// <summary>Lets in the directors, and the user with the right password, and says to each command that it is done.</summary>
    private static FakeImapNode Node() => new(async session =>
    {
        await session.WriteLineAsync(NodeSession.Greeting);
        while (true)
        {
            var words = (await session.ReadLineAsync()).Split(' ');
            var answer = "OK done";
            if (words[1] == "AUTHENTICATE")
            {
                var password = System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(words[^1])).Split('\0')[^1];
                answer = password is Right or FakeImapNode.MasterPassword ? NodeSession.LoggedIn : "NO [AUTHENTICATIONFAILED] no";
            }
            if (words[1] is "LIST" or "LSUB") await session.WriteLineAsync("* LIST (\\Noselect) \"/\" \"\"");
            if (words[1] is "CAPABILITY") await session.WriteLineAsync("* CAPABILITY IMAP4rev1");
            if (words[1] is "LOGOUT") await session.WriteLineAsync("* BYE");
            await session.WriteLineAsync($"{words[0]} {answer}");
            // Some wait for it.
            if (words[1] is "LOGOUT") return;
        }
    });

    private async Task<string> WriteAsync(string name, string text)
    {
        var file = Path.Combine(_directory.FullName, name);
        await File.WriteAllTextAsync(file, text);
        return file;
    }

    private async Task<string> CertifyAsync(ClientAuthority authority, string name)
    {
        using var certificate = authority.Issue("CN=carol");
        using var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(certificate)!;
        return await WriteAsync(name, certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static string Salted(string password)
    {
#pragma warning disable CA5350 // What directories have.
        return Convert.ToBase64String([.. System.Security.Cryptography.SHA1.HashData([.. System.Text.Encoding.ASCII.GetBytes(password), 1, 2, 3, 4]), 1, 2, 3, 4]);
#pragma warning restore CA5350
    }
}
