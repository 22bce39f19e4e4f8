using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImapDirector.Attacks.Target;

namespace ImapDirector.Attacks;

/// <summary>Somebody who reads their mail every second, from an address of their own, and finds it as it was.</summary>
internal sealed class HonestUser(AttackedServers target, string user, byte number)
{
    private readonly ConcurrentQueue<string> _violations = new();
    private readonly List<double> _seconds = [];
    private readonly IPAddress _address = new([127, number, 0, 1]);

    public string Name => user;

    public IReadOnlyCollection<string> Violations => _violations;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await ReadAsync();
            await Task.Delay(TimeSpan.FromSeconds(1), CancellationToken.None);
        }
    }

    /// <summary>That all mail is there, and no other.</summary>
    public async Task CheckMailboxAsync()
    {
        await using var wire = await Wire.LogInAsync(target.Director.Imap, _address, user, AttackedServers.Password);
        var answer = wire is null ? "" : await wire.AskAsync("e EXAMINE INBOX");
        if (!answer.Contains($"* {AttackedServers.Messages} EXISTS", StringComparison.Ordinal)) _violations.Enqueue($"{user} finds not the mail that was there: {answer}");
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{_seconds.Count,9} times read; seconds it took: {_seconds.Order().ElementAtOrDefault(_seconds.Count / 2):F2} in the median, {_seconds.DefaultIfEmpty().Max():F2} at most");

    private async Task ReadAsync()
    {
        var clock = Stopwatch.StartNew();
        try
        {
            await using var wire = await Wire.ConnectAsync(target.Director.Imaps, _address);
            await wire.StartTlsAsync();
            await wire.ReadLineAsync();
            var login = await wire.AskAsync($"l LOGIN {user} \"{AttackedServers.Password}\"");
            if (!Wire.IsOk(login))
            {
                _violations.Enqueue($"{user} is not let in: {login}");
                return;
            }
            await wire.AskAsync("s SELECT INBOX");
            var mail = await wire.AskAsync("f FETCH 1:* (BODY.PEEK[TEXT])");
            if (!Wire.IsOk(mail) || !mail.Contains(AttackedServers.SecretOf(user), StringComparison.Ordinal)) _violations.Enqueue($"{user} does not find their mail: {mail}");
            foreach (var other in new[] { AttackedServers.Alice, AttackedServers.Bob, AttackedServers.Mallory })
                if (other != user && mail.Contains(AttackedServers.SecretOf(other), StringComparison.Ordinal)) _violations.Enqueue($"{user} was given mail of {other}");
            await wire.AskAsync("o LOGOUT");
            _seconds.Add(clock.Elapsed.TotalSeconds);
        }
        catch (Exception broken) when (broken is IOException or SocketException or TimeoutException or OperationCanceledException or System.Security.Authentication.AuthenticationException)
        {
            _violations.Enqueue($"{user} was not served after {clock.Elapsed.TotalSeconds.ToString("F1", CultureInfo.InvariantCulture)} s: {broken.Message}");
        }
    }
}
