using System.Diagnostics;
using System.Globalization;
using ImapDirector.Director.Authentication;
using ImapDirector.Director.Tests.Authentication.Databases;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Tests.Shared;
using MailKit.Net.Imap;
using MailKit.Security;
using Xunit;

namespace ImapDirector.Director.Tests.Login;

/// <summary>Mechanism by password database by client: each logs in with the right password and not with a wrong one.</summary>
public sealed class ClientsLogInTests
{
    private const string User = "carol@example.com";
    private const string Right = "right-Pass1";

    public static TheoryData<string, string, string> Table
    {
        get
        {
            var table = new TheoryData<string, string, string>();
            foreach (var database in (string[])["Redis", "PasswdFile", "Ldap", "Http"])
            {
                foreach (var client in (string[])["MailKit", "curl", "python", "gsasl"])
                {
                    table.Add("PLAIN", database, client);
                    table.Add("LOGIN", database, client);
                    // The others never see what a verifier is made of.
                    if (database is "Redis" or "PasswdFile" && client is "MailKit" or "gsasl") table.Add("SCRAM-SHA-256", database, client);
                    if (database is "Redis" or "PasswdFile" && client is "gsasl" or "MailKit") table.Add("SCRAM-SHA-1", database, client);
                }
            }
            return table;
        }
    }

    [TheoryIfInstalled("redis-server", "slapd", "gsasl", "curl", "python3")]
    [MemberData(nameof(Table))]
    public async Task A_client_logs_in(string mechanism, string database, string client)
    {
        await using var node = FakeImapNode.Obliging();
        await using var ldap = database == "Ldap" ? await LdapServer.StartAsync(("carol", "{SSHA}" + Salted(Right))) : null;
        await using var http = new HttpAuthServer(request =>
            HttpAuthServer.Ok(request.Contains($"Auth-User: {User}\r\nAuth-Pass: {Right}\r\n", StringComparison.Ordinal) ? "Auth-Status: OK" : "Auth-Status: Invalid login or password"));
        var scheme = mechanism switch { "SCRAM-SHA-256" => PasswordScheme.ScramSha256, "SCRAM-SHA-1" => PasswordScheme.ScramSha1, _ => PasswordScheme.Sha256Crypt };
        var hash = (await UserAccounts.HashAsync(scheme, System.Text.Encoding.ASCII.GetBytes(Right), CancellationToken.None))!;
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, $"{User}:{hash}\n");
            PasswordDatabaseOptions options = database switch
            {
                "PasswdFile" => new PasswdFileOptions { File = file },
                "Ldap" => new LdapDatabaseOptions { Url = ldap!.Url, LookupDn = LdapServer.LookupDn, LookupPassword = LdapServer.LookupPassword, SearchBase = LdapServer.People },
                "Http" => new HttpDatabaseOptions { Url = http.Url },
                _ => new RedisDatabaseOptions(),
            };
            await using var director = await RunningDirector.StartAsync(node.Backend, o => o with { Authentication = new AuthenticationOptions { Mechanisms = [mechanism, "PLAIN"], Databases = [options], UpgradeHashes = false } });
            if (database == "Redis") await director.Redis.Database.HashSetAsync("imapdirector:{carol@example.com}:account", "password", hash);

            Assert.True(await LogsInAsync(client, mechanism, director, Right));
            Assert.False(await LogsInAsync(client, mechanism, director, "wrong-Pass1"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static Task<bool> LogsInAsync(string client, string mechanism, RunningDirector director, string password)
    {
        var (plain, tls) = (director.Server.ImapEndPoint!.Port.ToString(CultureInfo.InvariantCulture), director.Server.ImapsEndPoint!.Port);
        return client switch
        {
            "curl" => RunAsync("curl", "-sk", "--url", $"imaps://127.0.0.1:{tls}/", "-u", $"{User}:{password}", "--login-options", $"AUTH={mechanism}", "-X", "NOOP"),
            "python" => RunAsync("python3", "-c", $$"""
                import imaplib, sys
                client = imaplib.IMAP4('127.0.0.1', {{plain}})
                answers = [b'{{User}}', b'{{password}}']
                plain = lambda challenge: b'\0' + answers[0] + b'\0' + answers[1]
                client.authenticate('{{mechanism}}', plain if '{{mechanism}}' == 'PLAIN' else lambda challenge: answers.pop(0))
                client.noop()
                """),
            "gsasl" => RunAsync("gsasl", "--imap", "--connect", $"127.0.0.1:{plain}", "--no-starttls", "-m", mechanism, "-a", User, "-z", mechanism == "PLAIN" ? "" : User, "-p", password, "--quiet", "--no-client-first"),
            _ => MailKitAsync(mechanism, tls, password),
        };
    }

    private static async Task<bool> MailKitAsync(string mechanism, int port, string password)
    {
        using var client = new ImapClient { ServerCertificateValidationCallback = (_, certificate, _, _) => certificate is not null };
        await client.ConnectAsync("127.0.0.1", port, SecureSocketOptions.SslOnConnect);
        try
        {
            await client.AuthenticateAsync(mechanism switch
            {
                "PLAIN" => new SaslMechanismPlain(User, password),
                "LOGIN" => new SaslMechanismLogin(User, password),
                "SCRAM-SHA-1" => new SaslMechanismScramSha1(User, password),
                _ => new SaslMechanismScramSha256(User, password),
            });
            return client.IsAuthenticated;
        }
        catch (AuthenticationException)
        {
            return false;
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var (output, error) = (process.StandardOutput.ReadToEndAsync(limit.Token), process.StandardError.ReadToEndAsync(limit.Token));
        await process.WaitForExitAsync(limit.Token);
        await Task.WhenAll(output, error);
        return process.ExitCode == 0;
    }

    private static string Salted(string password)
    {
#pragma warning disable CA5350 // What directories have.
        return Convert.ToBase64String([.. System.Security.Cryptography.SHA1.HashData([.. System.Text.Encoding.ASCII.GetBytes(password), 1, 2, 3, 4]), 1, 2, 3, 4]);
#pragma warning restore CA5350
    }
}
