using System.Net;
using ImapDirector.Configuration;
using ImapDirector.Director;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace ImapDirector.Tests.Configuration;

public sealed class AuthenticationSettingsTests
{
    [Fact]
    public void Without_any_setting_there_is_Redis()
    {
        var (options, errors) = Read();
        Assert.Empty(errors);
        Assert.Equal([new RedisDatabaseOptions()], options.Databases);
        Assert.Null(options.Masters);
    }

    [Fact]
    public void Masters_have_a_file_networks_and_maybe_a_separator()
    {
        var (options, errors) = Read(("Masters:File", "/etc/imapdirector/masters"), ("Masters:Networks:0", "10.0.0.0/8"), ("Masters:Networks:1", "2001:db8::/32"), ("Masters:Separator", "*"));
        Assert.Empty(errors);
        Assert.Equal(("/etc/imapdirector/masters", '*'), (options.Masters!.File, options.Masters.Separator));
        Assert.Equal([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("2001:db8::/32")], options.Masters.Networks);
    }

    [Fact]
    public void Each_kind_of_database_has_its_settings_and_the_rules_that_all_have()
    {
        var (options, errors) = Read(
            ("Databases:0:Kind", "PasswdFile"), ("Databases:0:File", "/etc/passwd"), ("Databases:0:OnWrongPassword", "Continue"),
            ("Databases:1:Kind", "ldap"), ("Databases:1:Url", "ldaps://ldap.example.com:1636"), ("Databases:1:SearchBase", "dc=example"), ("Databases:1:Timeout", "2s"), ("Databases:1:OnFailure", "Continue"),
            ("Databases:2:Kind", "Http"), ("Databases:2:Url", "https://auth.example.com/login"), ("Databases:2:HeaderName", "X-Key"), ("Databases:2:HeaderValue", "secret"), ("Databases:2:OnNoSuchUser", "Stop"));
        Assert.Empty(errors);
        Assert.Equal(new PasswdFileOptions { File = "/etc/passwd", OnWrongPassword = ChainRule.Continue }, options.Databases[0]);
        Assert.Equal(new LdapDatabaseOptions { Url = new Uri("ldaps://ldap.example.com:1636"), SearchBase = "dc=example", Timeout = TimeSpan.FromSeconds(2), OnFailure = ChainRule.Continue }, options.Databases[1]);
        Assert.Equal(new HttpDatabaseOptions { Url = new Uri("https://auth.example.com/login"), HeaderName = "X-Key", HeaderValue = "secret", OnNoSuchUser = ChainRule.Stop }, options.Databases[2]);
        Assert.DoesNotContain("secret", options.Databases[2].ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Databases:0:Kind", "Sql", "Authentication:Databases:0:Kind")]
    [InlineData("Databases:0:File", "x", "Authentication:Databases:0:Kind")]
    [InlineData("Masters:Separator", "*", "Authentication:Masters:File")]
    [InlineData("Masters:Networks:0", "10.0.0.0/8", "Authentication:Masters:File")]
    [InlineData("Masters:Separator", "**", "Authentication:Masters:Separator")]
    [InlineData("Masters:User", "support", "Authentication:Masters:User")]
    [InlineData("Argon2MemoryKiB", "lots", "Authentication:Argon2MemoryKiB")]
    [InlineData("Spelling", "x", "Authentication:Spelling")]
    public void What_is_wrong_is_told_with_its_key(string key, string value, string told)
    {
        var (_, errors) = Read((key, value));
        Assert.Contains(errors, error => error.StartsWith(told + " ", StringComparison.Ordinal));
    }

    private static (AuthenticationOptions Options, List<string> Errors) Read(params (string Key, string Value)[] pairs)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(pairs.Select(pair => KeyValuePair.Create($"Authentication:{pair.Key}", (string?)pair.Value))).Build();
        var settings = new SettingsReader(configuration, []);
        return (settings.Within("Authentication", AuthenticationSettings.Read), settings.Errors);
    }
}
