using System.Net;
using System.Text.RegularExpressions;
using CsCheck;
using ImapDirector.Configuration;
using ImapDirector.Director;
using ImapDirector.Network;
using Microsoft.Extensions.Configuration;
using Xunit;

namespace ImapDirector.Tests.Configuration;

public sealed partial class SettingsReaderTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("imapdirector-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [InlineData("500ms", 0.5)]
    [InlineData("0s", 0)]
    [InlineData("90s", 90)]
    [InlineData("10m", 600)]
    [InlineData("2h", 7200)]
    [InlineData("1d", 86400)]
    public void A_duration_is_a_number_and_a_unit(string text, double seconds)
    {
        Assert.True(Duration.TryParse(text, out var duration));
        Assert.Equal(TimeSpan.FromSeconds(seconds), duration);
    }

    [Theory]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("s")]
    [InlineData("-5s")]
    [InlineData("+5s")]
    [InlineData("5 s")]
    [InlineData("1.5h")]
    [InlineData("5S")]
    [InlineData("00:00:05")]
    [InlineData("10001d")]
    [InlineData("99999999999s")]
    public void What_is_no_duration_is_refused(string text) => Assert.False(Duration.TryParse(text, out _));

    [Fact]
    public void A_duration_as_errors_write_it_can_be_read() => Gen.Long[0, 10_000L * 24 * 3600 * 1000].Sample(milliseconds =>
    {
        var time = TimeSpan.FromMilliseconds(milliseconds);
        if (milliseconds > uint.MaxValue) time = TimeSpan.FromDays(Math.Floor(time.TotalDays));
        Assert.True(Duration.TryParse(Network.SettingRules.Text(time), out var read));
        Assert.Equal(time, read);
    });

    [Fact]
    public void Whatever_is_written_it_is_a_duration_within_bounds_or_none() =>
        Gen.String.Sample(text => !Duration.TryParse(text, out var duration) || (duration >= TimeSpan.Zero && duration <= TimeSpan.FromDays(10_000)));

    [Theory]
    [InlineData("127.0.0.1:1143", "127.0.0.1:1143")]
    [InlineData("[::1]:1143", "[::1]:1143")]
    [InlineData("[::]:0", "[::]:0")]
    [InlineData("127.0.0.1", null)]
    [InlineData("::1", null)]
    [InlineData("::1:1143", null)]
    [InlineData("localhost:1143", null)]
    [InlineData("127.0.0.1:65536", null)]
    [InlineData("127.0.0.1:", null)]
    public void An_address_to_listen_on_has_an_address_and_a_port(string text, string? expected)
    {
        var reader = Reader(("Imap", text));
        var endPoint = reader.EndPoint("Imap");
        Assert.Equal(expected is null ? null : IPEndPoint.Parse(expected), endPoint);
        if (expected is null) Assert.Equal($"Imap is \"{text}\": write an address and a port, such as 127.0.0.1:1143 or [::1]:1143.", Assert.Single(reader.Errors));
    }

    [Fact]
    public void A_secret_comes_from_its_file_without_the_line_end()
    {
        var file = Path.Combine(_directory.FullName, "secret");
        File.WriteAllText(file, " the secret \r\n");
        var reader = Reader(("PasswordFile", file));
        Assert.Equal(" the secret ", reader.Secret("Password"));
        reader.RefuseUnknown();
        Assert.Empty(reader.Errors);
    }

    [Fact]
    public void A_secret_in_two_places_or_in_a_file_that_is_not_there_is_an_error()
    {
        var twice = Reader(("Password", "one"), ("PasswordFile", "two"));
        _ = twice.Secret("Password");
        Assert.Equal("Password and PasswordFile are both set: leave one of them out.", Assert.Single(twice.Errors));
        var absent = Reader(("PasswordFile", Path.Combine(_directory.FullName, "absent")));
        Assert.Null(absent.Secret("Password"));
        Assert.Contains("which cannot be read", Assert.Single(absent.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void All_that_is_wrong_is_told_at_once()
    {
        var wrong = Assert.Throws<ConfigurationException>(() => DirectorSettings.Read(Configuration(("Imaps", "nonsense"), ("Spelling", "1"), ("RedisTimeout", "fast"),
            ("Nodes:0:Host", "h"), ("Nodes:0:Tls", "perhaps"), ("Nodes:0:Colour", "red"), ("LmtpNetworks:0", "10.0.0.1/99"))));
        Assert.Equal(
        [
            "CertificateFile", "Imaps", "LmtpNetworks:0", "Nodes:0:Colour", "Nodes:0:Name", "Nodes:0:Tls", "RedisTimeout", "Spelling",
        ], wrong.Errors.Select(error => error.Split(' ')[0]).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("ProxyNetworks", "10.1.2.0/24", "ProxyNetworks is one value: write a list")]
    [InlineData("Nodes", "node1", "Nodes is one value: write a list")]
    [InlineData("MaxConnections:x", "1", "MaxConnections has settings below it: write one value.")]
    [InlineData("AllowPlainTextLogin:0", "true", "AllowPlainTextLogin has settings below it: write one value.")]
    public void A_setting_of_the_wrong_shape_is_refused(string key, string value, string expected)
    {
        var wrong = Assert.Throws<ConfigurationException>(() => DirectorSettings.Read(Configuration((key, value))));
        Assert.Contains(wrong.Errors, error => error.StartsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("RedisTimeout", "100d", "RedisTimeout is 100d: give a time from 10ms to 30s.")]
    [InlineData("RedisTimeout", "0s", "RedisTimeout is 0ms: give a time from 10ms to 30s.")]
    [InlineData("DefaultDomain", "no domain", "DefaultDomain is \"no domain\": give a domain name")]
    public void What_accounts_need_is_held_to_its_bounds(string key, string value, string expected)
    {
        var wrong = Assert.Throws<ConfigurationException>(() => DirectorSettings.Read(Configuration(("Nodes:0:Name", "node1"), ("Nodes:0:Host", "127.0.0.1"), ("Nodes:0:MasterPassword", "secret"), ("Imap", "127.0.0.1:1143"), ("SelfSignedDirectory", "tls"), (key, value))));
        Assert.StartsWith(expected, Assert.Single(wrong.Errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("MasterPassword", "MasterPassword")]
    [InlineData("Nodes__0__masterpassword", "Nodes:0:masterpassword")]
    [InlineData("Authentication:Tokens:ClientSecret", "Authentication:Tokens:ClientSecret")]
    [InlineData("Redis", "Redis")]
    public void A_secret_is_no_argument(string key, string named)
    {
        var refused = Assert.Single(Assert.Throws<ConfigurationException>(() => SettingsSource.Load(null, [$"{key}=127.0.0.1:6379,password=hunter2"])).Errors);
        Assert.Contains($"--set {named}File=", refused, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", refused, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_read_as_a_secret_and_no_more_is_known_as_one()
    {
        Assert.Equal("secret", SettingsSource.Load(null, ["MasterPasswordFile=secret"])["MasterPasswordFile"]);
        Assert.Equal("127.0.0.1:6379", SettingsSource.Load(null, ["Redis=127.0.0.1:6379"])["Redis"]);
        var read = Architecture.Repository.Sources.Where(file => file.IsBelow("src/ImapDirector/Configuration")).SelectMany(file => SecretRead().Matches(file.Code)).Select(match => match.Groups[1].Value);
        Assert.Equal(SettingsSource.Secrets.Order(StringComparer.Ordinal), read.Distinct().Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("[1]")]
    [InlineData("{ \"A\": 1, \"A\": 2 }")]
    [InlineData("nothing")]
    public void A_file_that_is_no_object_is_refused(string text)
    {
        var file = Path.Combine(_directory.FullName, "a.json");
        File.WriteAllText(file, text);
        Assert.StartsWith($"The configuration file \"{file}\" is no JSON object with each key once", Assert.Single(Assert.Throws<ConfigurationException>(() => SettingsSource.Load(file, [])).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_list_is_a_list()
    {
        var file = Path.Combine(_directory.FullName, "a.json");
        File.WriteAllText(file, """{ "LmtpNetworks": [] }""");
        var reader = new SettingsReader(SettingsSource.Load(file, []), []);
        Assert.Empty(reader.Networks("LmtpNetworks"));
        Assert.Empty(reader.Networks("LmtpNetworks", AddressList.Loopback));
        Assert.Equal(AddressList.Loopback, reader.Networks("PlainTextNetworks", AddressList.Loopback));
        Assert.Empty(reader.Errors);
    }

    [Theory]
    [InlineData("PlainTextNetworks", "")]
    [InlineData("plaintextnetworks:0", "10.0.0.0/8", "10.0.0.0/8")]
    public void A_list_that_has_something_by_default_can_be_another_or_empty(string key, string value, params string[] expected)
    {
        var reader = Reader((key, value));
        Assert.Equal(expected, reader.Networks("PlainTextNetworks", AddressList.Loopback).Select(network => network.ToString()));
        Assert.Empty(reader.Errors);
    }

    [Fact]
    public void No_error_shows_a_secret_whatever_else_is_wrong() =>
        Gen.Select(Gen.Char.AlphaNumeric.Array[12, 40], Gen.Int[0, 6]).Sample((letters, place) =>
        {
            var secret = "S3cret" + new string(letters);
            (string, string)[] settings =
            [
                ("Imaps", "127.0.0.1:0"), ("Redis", place is 0 ? $",password={secret},=" : "127.0.0.1:1,password=" + secret), ("Nodes:0:Name", place is 1 ? "Bad Name" : "node1"),
                ("Nodes:0:Host", place is 2 ? "b/d" : "127.0.0.1"), ("Nodes:0:MasterPassword", place is 3 ? secret + "\n" : place is 4 ? secret + new string('x', 300) : secret),
                ("SelfSignedDirectory", _directory.FullName), ("LoginTimeout", place is 5 ? "1ms" : "1s"), ("Nodes:0:MasterPassword" + (place is 6 ? "s" : "Unknown"), "x"),
            ];
            var wrong = Assert.Throws<ConfigurationException>(() => DirectorSettings.Read(Configuration(settings)));
            Assert.DoesNotContain(secret, wrong.ToString(), StringComparison.Ordinal);
        }, iter: 300);

    [GeneratedRegex(@"\bsettings\.Secret\(""(\w+)""\)")]
    private static partial Regex SecretRead();

    private static SettingsReader Reader(params (string Key, string Value)[] settings) => new(Configuration(settings), []);

    private static IConfiguration Configuration(params (string Key, string Value)[] settings) => new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>(setting.Key, setting.Value))).Build();
}
