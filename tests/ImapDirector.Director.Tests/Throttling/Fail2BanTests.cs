using System.Diagnostics;
using System.Globalization;
using ImapDirector.Director.Tests.Backends;
using ImapDirector.Director.Tests.Login;
using ImapDirector.Tests.Shared;
using Xunit;

namespace ImapDirector.Director.Tests.Throttling;

public sealed class Fail2BanTests
{
    [FactIfInstalled("fail2ban-regex", "redis-server")]
    public async Task The_filter_finds_each_refusal_with_the_client_s_address_and_nothing_else()
    {
        await using var node = FakeImapNode.Ready();
        await using var director = await RunningDirector.StartAsync(node.Backend);
        await using (var client = await director.ConnectAsync())
        {
            Assert.StartsWith("a NO ", await client.AskAsync("a LOGIN alice wrong"));
            Assert.StartsWith("b NO ", await client.AskAsync("b LOGIN \"nobody client=192.0.2.66:1\" secret"));
            Assert.StartsWith("c OK ", await client.AskAsync("c LOGIN alice secret"));
        }
        await director.EndCodesAsync();
        var lines = director.Lines.Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..].TrimEnd()).Where(line => line.Length > 0).ToArray();
        string[] more =
        [
            "id login refused: wrong_password, user=alice@example.com mechanism=login client=[2001:db8::7]:40000",
            "id login refused: throttled, user= mechanism=sasl_plain client=192.0.2.7:40000",
            "id login refused: unfinished, user=alice@example.com mechanism=sasl_scram_sha_256 client=192.0.2.9:40000",
            "id login refused: no_such_master, user=alice@example.com master=support mechanism=sasl_plain client=192.0.2.10:40000",
            "id login refused: wrong_password, user= master= mechanism=login client=192.0.2.11:40000",
            "id login refused: likely_wrong, user=alice@example.com mechanism=login client=192.0.2.12:40000",
            "id login refused: no_password, user=alice@example.com master=support mechanism=login client=192.0.2.8:40000",
            "id login refused: temporary_failure, user=alice@example.com mechanism=login client=192.0.2.8:40000",
            "id login refused: unavailable, user=alice@example.com mechanism=login client=192.0.2.8:40000",
            "id login refused: backend_failed, user=alice@example.com mechanism=login client=192.0.2.8:40000",
        ];
        var found = await FindAsync([.. lines, .. more]);
        Assert.Equal(["127.0.0.1", "127.0.0.1", "192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.7", "192.0.2.9", "2001:db8::7"], found.Order(StringComparer.Ordinal));
    }

    private static async Task<string[]> FindAsync(string[] lines)
    {
        var directory = System.IO.Directory.CreateTempSubdirectory("fail2ban-").FullName;
        try
        {
            var log = Path.Combine(directory, "log");
            var now = DateTime.Now.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
            await File.WriteAllLinesAsync(log, lines.Select(line => $"{now} host imapdirector[7]: info: ImapDirector.Director.Login.ClientSession[3402] {line}"));
            var filter = Path.Combine(AppContext.BaseDirectory, "fail2ban-imapdirector.conf");
            using var program = Process.Start(new ProcessStartInfo("fail2ban-regex", ["-o", "ip", log, filter]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = await program.StandardOutput.ReadToEndAsync();
            await program.WaitForExitAsync();
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            System.IO.Directory.Delete(directory, true);
        }
    }
}
