using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;
using Xunit.Abstractions;

namespace ImapDirector.Storage.Tests.Sessions;

/// <summary>Sessions that do random things to one mailbox at the same time. Each keeps the view a client would have, from nothing but the
/// responses it gets; whenever it asks, the server's numbers must be those of its view, and in the end all views must be the same.</summary>
public sealed partial class RandomSessionsTests(ITestOutputHelper output)
{
    private static readonly string[] Flags = ["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "$One", "$Two"];

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task Every_session_sees_right_numbers_and_in_the_end_the_same_mailbox(int count)
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        await using var node = await RunningNode.StartAsync();
        var clients = new List<ViewingClient>();
        for (var i = 0; i < count; i++) clients.Add(new ViewingClient(await node.LogInAsync(), new Random(seed + i)));
        await Task.WhenAll(clients.Select(static client => client.WorkAsync(commands: 150)));

        foreach (var client in clients) await client.SettleAsync();
        foreach (var client in clients)
        {
            Assert.Equal(clients[0].Describe(), client.Describe());
            await client.Client.DisposeAsync();
        }
    }

    private sealed partial class ViewingClient(ImapClient client, Random random)
    {
        // What the client knows of each message: its UID (0 before it was asked) and its flags.
        private readonly List<(uint Uid, string Flags)> _view = [];

        public ImapClient Client => client;

        public async Task WorkAsync(int commands)
        {
            await RunAsync("SELECT INBOX");
            if (_view.Count > 0) await RunAsync("FETCH 1:* (UID FLAGS)");
            for (var i = 0; i < commands; i++) await StepAsync();
        }

        /// <summary>Nobody works any more: after what was still to be told, the view must be what the server has.</summary>
        public async Task SettleAsync()
        {
            await RunAsync("NOOP");
            if (_view.Any(static message => message.Uid == 0)) await RunAsync("UID FETCH 1:* (FLAGS)");
            var told = Describe();
            if (_view.Count > 0) await RunAsync("FETCH 1:* (UID FLAGS)");
            Assert.Equal(Describe(), told);
        }

        public string Describe() => string.Join(' ', _view.Select(static message => $"{message.Uid}:{message.Flags}"));

        private async Task StepAsync()
        {
            if (_view.Count == 0 || random.Next(6) == 0)
            {
                var message = $"Subject: {random.Next()}\r\n\r\n";
                await RunAsync($"APPEND INBOX {{{message.Length}+}}\r\n{message}");
                return;
            }
            var first = random.Next(1, _view.Count + 1);
            var last = Math.Min(_view.Count, first + random.Next(3));
            var uid = random.Next(2) == 0 ? "UID " : "";
            var set = uid.Length == 0 ? $"{first}:{last}" : UidSet(first, last);
            var flag = Flags[random.Next(Flags.Length)];
            await RunAsync(random.Next(10) switch
            {
                0 or 1 => $"{uid}STORE {set} +FLAGS ({flag})",
                2 => $"{uid}STORE {set} -FLAGS ({flag})",
                3 => $"{uid}STORE {set} +FLAGS (\\Deleted)",
                4 => "EXPUNGE",
                5 => $"{uid}FETCH {set} (UID FLAGS)",
                6 => $"{uid}SEARCH NOT DELETED",
                7 => $"{uid}COPY {set} INBOX",
                8 => $"{uid}MOVE {set} INBOX",
                _ => "NOOP",
            });
            if (_view.Any(static message => message.Uid == 0)) await RunAsync("UID FETCH 1:* (FLAGS)");
        }

        private string UidSet(int first, int last)
        {
            var uids = _view.Skip(first - 1).Take(last - first + 1).Select(static message => message.Uid).Where(static uid => uid > 0);
            return string.Join(',', uids.DefaultIfEmpty(1u));
        }

        private async Task RunAsync(string command)
        {
            var mayExpunge = !(command.StartsWith("FETCH", StringComparison.Ordinal) || command.StartsWith("STORE", StringComparison.Ordinal)
                || command.StartsWith("SEARCH", StringComparison.Ordinal));
            var lines = await client.CommandAsync(command);
            Assert.DoesNotContain("BAD", lines[^1].Split(' ')[0], StringComparison.Ordinal);
            foreach (var line in lines.SkipLast(1)) Learn(line, mayExpunge, command);
        }

        private void Learn(string line, bool mayExpunge, string command)
        {
            if (ExistsPattern().Match(line) is { Success: true } exists)
            {
                var count = Number(exists);
                // Only EXPUNGE makes a mailbox smaller.
                Assert.True(count >= _view.Count, $"{command}: {line}");
                while (_view.Count < count) _view.Add((0, "?"));
            }
            else if (ExpungePattern().Match(line) is { Success: true } expunge)
            {
                Assert.True(mayExpunge, $"{command}: {line}");
                _view.RemoveAt((int)Number(expunge) - 1);
            }
            else if (FetchPattern().Match(line) is { Success: true } fetch)
            {
                var index = (int)Number(fetch) - 1;
                var (uid, flags) = _view[index];
                if (fetch.Groups["uid"].Success)
                {
                    var told = uint.Parse(fetch.Groups["uid"].Value, CultureInfo.InvariantCulture);
                    Assert.True(uid == 0 || uid == told, $"{command}: {line}, but message {index + 1} was UID {uid}");
                    uid = told;
                }
                if (fetch.Groups["flags"].Success)
                {
                    // \Recent is each session's own.
                    flags = string.Join(' ', fetch.Groups["flags"].Value.Split(' ').Where(static flag => flag != "\\Recent").Order(StringComparer.Ordinal));
                }
                _view[index] = (uid, flags);
            }
            else if (line.StartsWith("* SEARCH", StringComparison.Ordinal))
            {
                var numbers = line.Split(' ').Skip(2).Select(static number => uint.Parse(number, CultureInfo.InvariantCulture)).ToList();
                if (!command.StartsWith("UID", StringComparison.Ordinal)) Assert.All(numbers, number => Assert.InRange(number, 1u, (uint)_view.Count));
            }
        }

        private static uint Number(Match match) => uint.Parse(match.Groups["number"].Value, CultureInfo.InvariantCulture);

        [GeneratedRegex(@"^\* (?<number>\d+) EXISTS$")]
        private static partial Regex ExistsPattern();

        [GeneratedRegex(@"^\* (?<number>\d+) EXPUNGE$")]
        private static partial Regex ExpungePattern();

        [GeneratedRegex(@"^\* (?<number>\d+) FETCH \((UID (?<uid>\d+) ?)?(FLAGS \((?<flags>[^)]*)\))?\)$")]
        private static partial Regex FetchPattern();
    }
}
