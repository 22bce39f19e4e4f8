using System.Net;
using System.Net.Sockets;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.EndToEnd;

public sealed class ConfigurationTests
{
    private const string Secret = "hunter2-hunter2-hunter2";

    [Theory]
    [InlineData("""{ "Imap": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "DataDirectory": "x" }""", "AssertionKeys and MasterPassword are both unset")]
    [InlineData("""{ "Imap": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "DataDirectory": "x", "MasterPassword": "hunter2-hunter2-hunter2", "Imaps": "1" }""", "Imaps is no setting: correct its spelling")]
    [InlineData("""{ "Imap": "127.0.0.1:99999", "Lmtp": "127.0.0.1:0", "DataDirectory": "x", "MasterPassword": "hunter2-hunter2-hunter2" }""", "Imap is \"127.0.0.1:99999\": write an address and a port")]
    [InlineData("""{ "Imap": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "DataDirectory": "x", "MasterPassword": "hunter2-hunter2-hunter2", "IdleTimeout": "5 minutes" }""", "IdleTimeout is \"5 minutes\": write a number and a unit")]
    [InlineData("""{ "Imap": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "DataDirectory": "x", "MasterPassword": "hunter2-hunter2-hunter2", "IdleTimeout": "5m" }""", "IdleTimeout is 5m: give a time from 30m to 1d.")]
    [InlineData("""{ "Imap": "0.0.0.0:0", "Lmtp": "127.0.0.1:0", "DataDirectory": "x", "MasterPassword": "hunter2-hunter2-hunter2" }""", "RequireTls asks for TLS, but there is no certificate")]
    [InlineData("""{ "Imap": "127.0.0.1:0", "Lmtp": "127.0.0.1:0", "Http": "0.0.0.0:0", "DataDirectory": "x", "MasterPassword": "hunter2-hunter2-hunter2" }""", "set AllowRemoteHttp to true")]
    [InlineData("""{ "MasterPassword": "hunter2-hunter2-hunter2" ; }""", "is no JSON object with each key once at line 1")]
    public async Task A_wrong_setting_is_named_with_the_fix_and_without_the_secret(string configuration, string expected)
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(directory.File("node.json"), configuration);
        var (exitCode, printed, error) = await RunningProgram.RunAsync("", "node", "--config", directory.File("node.json"));
        Assert.Equal(78, exitCode);
        Assert.Contains(expected, error, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, printed + error, StringComparison.Ordinal);
        Assert.All(error.Split('\n', StringSplitOptions.RemoveEmptyEntries), line => Assert.StartsWith("imapdirector: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_an_error_of_the_configuration()
    {
        using var directory = new TemporaryDirectory();
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();
        await File.WriteAllTextAsync(directory.File("password"), Secret);
        var (exitCode, _, error) = await RunningProgram.RunAsync("", "node", "--set", $"Imap={taken.LocalEndpoint}", "--set", "Lmtp=127.0.0.1:0",
            "--set", $"DataDirectory={directory.File("mail")}", "--set", $"MasterPasswordFile={directory.File("password")}");
        Assert.Equal(78, exitCode);
        Assert.Equal($"imapdirector: Imap cannot listen on \"{taken.LocalEndpoint}\" (AddressAlreadyInUse): free the port, or configure another address.\n", error[error.IndexOf("imapdirector: ", StringComparison.Ordinal)..]);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("standalone --imap-port 70000")]
    [InlineData("standalone --nonsense")]
    public async Task A_command_line_that_makes_no_sense_is_a_usage_error(string arguments)
    {
        var (exitCode, _, error) = await RunningProgram.RunAsync("", arguments.Split(' '));
        Assert.Equal(64, exitCode);
        Assert.NotEmpty(error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("standalone")]
    [InlineData("director")]
    [InlineData("node")]
    [InlineData("user")]
    [InlineData("user add")]
    [InlineData("user passwd")]
    [InlineData("user list")]
    [InlineData("user show")]
    [InlineData("user remove")]
    [InlineData("user explain")]
    [InlineData("nodes")]
    [InlineData("nodes add")]
    [InlineData("sessions kick")]
    [InlineData("directory import")]
    [InlineData("health")]
    [InlineData("store")]
    [InlineData("store check")]
    [InlineData("store repair")]
    [InlineData("store vacuum")]
    [InlineData("store backup")]
    [InlineData("store export")]
    [InlineData("store import")]
    public async Task Help_is_everywhere(string command)
    {
        var (exitCode, printed, _) = await RunningProgram.RunAsync("", [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]);
        Assert.Equal(0, exitCode);
        Assert.Contains("Usage:", printed, StringComparison.Ordinal);
    }
}
