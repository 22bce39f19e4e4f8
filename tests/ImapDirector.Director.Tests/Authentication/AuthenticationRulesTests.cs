using System.Net;
using Xunit;

namespace ImapDirector.Director.Tests.Authentication;

public sealed class AuthenticationRulesTests
{
    private static readonly LdapDatabaseOptions Ldap = new() { Url = new Uri("ldaps://ldap.example.com"), SearchBase = "dc=example,dc=com" };
    private static readonly MasterOptions Masters = new() { File = Path.Combine(AppContext.BaseDirectory, "security.md"), Networks = [IPNetwork.Parse("10.0.0.0/8")] };
    private static readonly HttpDatabaseOptions Http = new() { Url = new Uri("https://auth.example.com/login") };

    private static readonly TokenOptions Tokens = new() { Issuer = new Uri("https://id.example.com"), Audiences = ["imap"] };

    public static TheoryData<string, AuthenticationOptions> Broken => new()
    {
        { "Tokens:MaxKeysAge", new() { Mechanisms = ["OAUTHBEARER"], Tokens = Tokens with { MaxKeysAge = TimeSpan.FromMinutes(59) } } },
        { "Tokens:MaxKeysAge", new() { Mechanisms = ["OAUTHBEARER"], Tokens = Tokens with { MaxKeysAge = TimeSpan.FromDays(31) } } },
        { "Tokens:Types", new() { Mechanisms = ["OAUTHBEARER"], Tokens = Tokens with { Types = ["at+jwt", ""] } } },
        { "Databases", new() { Databases = [] } },
        { "Argon2MemoryKiB", new() { Argon2MemoryKiB = 7 } },
        { "Argon2MemoryKiB", new() { Argon2MemoryKiB = 15, Argon2Lanes = 2 } },
        { "Argon2MemoryKiB", new() { Argon2MemoryKiB = 262_145 } },
        { "Argon2Iterations", new() { Argon2Iterations = 0 } },
        { "Argon2Iterations", new() { Argon2Iterations = 17 } },
        { "Argon2Iterations", new() { Argon2MemoryKiB = 262_144, Argon2Iterations = 5 } },
        { "Argon2Lanes", new() { Argon2Lanes = 17 } },
        { "MaxHashes", new() { MaxHashes = 0 } },
        { "MaxWaitingHashes", new() { MaxWaitingHashes = -1 } },
        { "Mechanisms", new() { Mechanisms = [] } },
        { "Mechanisms", new() { Mechanisms = ["ANONYMOUS"] } },
        { "Databases:0:File", new() { Databases = [new PasswdFileOptions { File = "/nonexistent" }] } },
        { "Databases:0:Url", new() { Databases = [Ldap with { Url = new Uri("http://ldap.example.com") }] } },
        { "Databases:0:Url", new() { Databases = [Ldap with { Url = new Uri("ldap://ldap.example.com") }] } },
        { "Databases:0:StartTls", new() { Databases = [Ldap with { StartTls = true }] } },
        { "Databases:0:SearchBase", new() { Databases = [Ldap with { SearchBase = "" }] } },
        { "Databases:0:SearchFilter", new() { Databases = [Ldap with { SearchFilter = "(mail=*{user})" }] } },
        { "Databases:0:SearchFilter", new() { Databases = [Ldap with { SearchFilter = "(mail=someone)" }] } },
        { "Databases:0:UserDn", new() { Databases = [Ldap with { UserDn = "uid={local}" }] } },
        { "Databases:0:UserDn", new() { Databases = [Ldap with { SearchBase = "", UserDn = "uid=someone" }] } },
        { "Databases:0:PasswordAttribute", new() { Databases = [Ldap with { SearchBase = "", UserDn = "uid={local}", PasswordAttribute = "userPassword" }] } },
        { "Databases:0:CaFile", new() { Databases = [Ldap with { CaFile = "/nonexistent" }] } },
        { "Databases:0:MaxConnections", new() { Databases = [Ldap with { MaxConnections = 65 }] } },
        { "Databases:0:Timeout", new() { Databases = [Ldap with { Timeout = TimeSpan.FromSeconds(31) }] } },
        { "Databases:0:Url", new() { Databases = [Http with { Url = new Uri("http://auth.example.com") }] } },
        { "Databases:0:Url", new() { Databases = [Http with { Url = new Uri("https://user:secret@auth.example.com") }] } },
        { "Masters:File", new() { Masters = Masters with { File = "/nonexistent" } } },
        { "Masters:File", new() { Masters = Masters with { File = "" } } },
        { "Masters:File", new() { Masters = Masters, Databases = [new PasswdFileOptions { File = Path.Combine(AppContext.BaseDirectory, ".", "security.md") }] } },
        { "Masters:Networks", new() { Masters = Masters with { Networks = [] } } },
        { "Masters:Networks", new() { Masters = Masters with { Networks = [IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("0.0.0.0/0")] } } },
        { "Masters:Networks", new() { Masters = Masters with { Networks = [IPNetwork.Parse("::/0")] } } },
        { "Databases:0:HeaderName", new() { Databases = [Http with { HeaderName = "X Key" }] } },
        { "Databases:0:HeaderValue", new() { Databases = [Http with { HeaderName = "X-Key", HeaderValue = "secret\r\nX: y" }] } },
        { "Databases:0:MaxConnections", new() { Databases = [Http with { MaxConnections = 0 }] } },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_fault_is_told_with_its_key_and_without_a_secret(string key, AuthenticationOptions options)
    {
        var errors = new List<string>();
        AuthenticationRules.Check(options, errors);
        Assert.StartsWith($"Authentication:{key} ", Assert.Single(errors), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public void A_separator_is_whatever_can_be_written_and_is_in_no_user_s_name()
    {
        var taken = new List<char>();
        for (var letter = (char)0; letter < 256; letter++)
        {
            var errors = new List<string>();
            AuthenticationRules.Check(new AuthenticationOptions { Masters = Masters with { Separator = letter } }, errors);
            if (errors.Count == 0) taken.Add(letter);
            else Assert.StartsWith("Authentication:Masters:Separator ", Assert.Single(errors), StringComparison.Ordinal);
        }
        Assert.Equal("!\"#$%&'()*,/:;<=>?[\\]^`{|}~", string.Concat(taken));
    }

    [Theory]
    [InlineData("link", true)]
    [InlineData("directory", true)]
    [InlineData("copy", true)]
    [InlineData("empty", true)]
    [InlineData("other", false)]
    public void The_users_are_no_masters_under_another_name_either(string kind, bool isFault)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("imapdirector-");
        try
        {
            var (users, masters) = (Path.Combine(directory.FullName, "real", "users"), Path.Combine(directory.FullName, "masters"));
            System.IO.Directory.CreateDirectory(Path.GetDirectoryName(users)!);
            File.WriteAllText(users, "alice:{PLAIN}x\n");
            switch (kind)
            {
                case "link":
                    File.CreateSymbolicLink(masters, users);
                    break;
                case "directory":
                    System.IO.Directory.CreateSymbolicLink(masters, Path.GetDirectoryName(users)!);
                    masters = Path.Combine(masters, "users");
                    break;
                case "copy":
                    File.Copy(users, masters);
                    break;
                case "empty":
                    // Users are added later.
                    File.WriteAllText(users, "");
                    File.WriteAllText(masters, "");
                    break;
                default:
                    File.WriteAllText(masters, "agnes:{PLAIN}x\n");
                    break;
            }
            var errors = new List<string>();
            AuthenticationRules.Check(new AuthenticationOptions { Masters = Masters with { File = masters }, Databases = [new PasswdFileOptions { File = users }] }, errors);
            if (isFault) Assert.StartsWith($"Authentication:Masters:File is \"{masters}\", which is one of Databases", Assert.Single(errors), StringComparison.Ordinal);
            else Assert.Empty(errors);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public void Good_settings_have_no_faults()
    {
        var errors = new List<string>();
        AuthenticationRules.Check(new AuthenticationOptions { Databases = [Ldap, Http, Ldap with { Url = new Uri("ldap://127.0.0.1") }, Ldap with { Url = new Uri("ldap://x"), StartTls = true }, new RedisDatabaseOptions()] }, errors);
        Assert.Empty(errors);
    }
}
