using System.Text.RegularExpressions;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.EndToEnd;

public sealed partial class ReloadTests
{
    private const string User = "alice@example.com";

    [FactIfInstalled("redis-server")]
    public async Task SIGHUP_has_settings_read_again_and_what_cannot_be_used_changes_nothing()
    {
        await using var cluster = await Cluster.StartAsync(User);
        var whole = await File.ReadAllTextAsync(cluster.Configuration);
        using var running = await Mail.LogInAsync(cluster.Director.Imaps, User);

        await File.WriteAllTextAsync(cluster.Configuration, whole.Replace("\"FailureDelay\"", "\"MaxSessionsPerUserAddress\": 1, \"LogLevel\": \"Debug\", \"FailureDelay\"", StringComparison.Ordinal));
        await cluster.Director.HangUpAsync();
        await UntilLoggedAsync(cluster.Director, "The configuration has changed: MaxSessionsPerUserAddress: unset → 1");
        await UntilLoggedAsync(cluster.Director, "The configuration has changed: LogLevel: unset → Debug");
        Assert.StartsWith("a NO [LIMIT]", await LogInAsync(cluster), StringComparison.Ordinal);

        await File.WriteAllTextAsync(cluster.Configuration, whole.Replace("\"FailureDelay\"", "\"MaxSessionsPerUserAddress\": 0, \"FailureDelay\"", StringComparison.Ordinal));
        await cluster.Director.HangUpAsync();
        await UntilLoggedAsync(cluster.Director, "so everything stays as it was. MaxSessionsPerUserAddress is 0: give a number from 1 to 100000.");
        Assert.StartsWith("a NO [LIMIT]", await LogInAsync(cluster), StringComparison.Ordinal);

        await File.WriteAllTextAsync(cluster.Configuration, whole);
        await cluster.Director.HangUpAsync();
        await UntilLoggedAsync(cluster.Director, "The configuration has changed: MaxSessionsPerUserAddress: 1 → unset");
        Assert.StartsWith("a OK", await LogInAsync(cluster), StringComparison.Ordinal);
        await running.NoOpAsync();
    }

    [FactIfInstalled("redis-server")]
    public async Task What_needs_a_restart_holds_nowhere_before_it()
    {
        await using var cluster = await Cluster.StartAsync(User);
        var whole = await File.ReadAllTextAsync(cluster.Configuration);

        await File.WriteAllTextAsync(cluster.Configuration, whole.Replace("\"FailureDelay\"", "\"DefaultDomain\": \"example.com\", \"FailureDelay\"", StringComparison.Ordinal));
        await cluster.Director.HangUpAsync();
        await UntilLoggedAsync(cluster.Director, "The configuration has changed: DefaultDomain: unset → (not shown), from the next start on");
        await using (var sender = await LmtpClient.BeginAsync(cluster.Director.Lmtp)) Assert.StartsWith("550 ", await sender.AskAsync("RCPT TO:<alice>"), StringComparison.Ordinal);

        // A whole that a restart brings, and of which half would lock everybody out.
        var keys = Directory.CreateTempSubdirectory("keys-").FullName;
        await RunningProgram.RunAsync("", "keys", "new", "--directory", keys);
        var key = Directory.GetFiles(keys, "*.key").Single();
        await File.WriteAllTextAsync(cluster.Configuration, MasterPassword().Replace(whole, "").Replace("\"FailureDelay\"", $"\"AssertionKeyFile\": \"{key}\", \"FailureDelay\"", StringComparison.Ordinal));
        await cluster.Director.HangUpAsync();
        await UntilLoggedAsync(cluster.Director, "so everything stays as it was. It needs a restart, for with the settings that hold from the next start on as they still are this holds: Nodes:0:MasterPassword");
        Assert.StartsWith("a OK", await LogInAsync(cluster), StringComparison.Ordinal);
        Directory.Delete(keys, recursive: true);
    }

    [GeneratedRegex("""(, |)"MasterPasswordFile": "[^"]*"(?= })|(?<=], )"MasterPasswordFile": "[^"]*",""")]
    private static partial Regex MasterPassword();

    private static async Task<string> LogInAsync(Cluster cluster)
    {
        await using var session = await RawSession.ConnectAsync(cluster.Director.Imap);
        await session.SendAsync($"a LOGIN {User} \"{Mail.Password}\"");
        return await session.ReadToAsync("a ");
    }

    private static async Task UntilLoggedAsync(RunningProgram program, string text)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!program.Log.Contains(text, StringComparison.Ordinal)) await Task.Delay(50, patience.Token);
    }
}
