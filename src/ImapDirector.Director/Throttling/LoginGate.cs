using System.Net;
using ImapDirector.Director.Authentication;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Throttling;

/// <summary>What one attempt to log in comes through before anything of it is looked up or checked, whatever the mechanism: the policy service, its
/// address's turn, the throttle.</summary>
/// <param name="throttle">Counts.</param>
/// <param name="turns">Of addresses.</param>
/// <param name="policy">The service to ask, or <c>null</c>.</param>
/// <param name="address">Where the client is.</param>
/// <param name="isSecure">Whether it came through TLS.</param>
/// <param name="claim">Whose password it shows.</param>
/// <param name="isRemembered">Whether that has just been right: it is no guess, and what it costs to check is no hash.</param>
internal sealed class LoginGate(LoginThrottle throttle, CheckTurns turns, LoginPolicy? policy, IPAddress address, bool isSecure, LoginClaim claim, bool isRemembered = false)
{
    private CheckTurn? _turn;
    private ThrottleEntry? _entry;
    private PolicyQuestion? _report;
    private bool _hasSucceeded;

    /// <summary>Why nothing was checked, as metrics show it; <c>null</c> when it was.</summary>
    public string? Refused { get; private set; }

    /// <summary>Where it stands among those that wait to be hashed, once it has been let in.</summary>
    public HashRank Rank => (_entry?.Rank ?? default) with { Others = _turn?.Others };

    /// <summary>The canonical name; <c>default</c> when what was sent is none.</summary>
    public UserName Name => claim.Who.Name;

    /// <summary>How long the answer to a failure waits, from the moment the attempt began.</summary>
    public TimeSpan Delay { get; private set; }

    /// <summary>Asks the policy service about whom the throttle lets through, and waits as long as it says, in no turn that others would wait for.</summary>
    /// <param name="password">The password; empty where the client does not send it.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>false</c> when either refuses.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<bool> IsAllowedAsync(ReadOnlyMemory<byte> password, CancellationToken cancellationToken)
    {
        if (policy is null) return true;
        (await EnterAsync(cancellationToken))?.Dispose();
        if (Refused is not null) return false;
        if (await policy.AllowAsync(await MakeAsync(policy, claim.Who, password, cancellationToken), cancellationToken) is not { } wait)
        {
            Refused = "policy";
            return false;
        }
        await Task.Delay(wait, cancellationToken);
        return true;
    }

    /// <summary>Waits for a turn and asks the throttle, for each step of an attempt: between two of them others may have failed.</summary>
    /// <returns>The turn, to be disposed of when the step is done; <c>null</c> when there may be none now.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<IDisposable?> EnterAsync(CancellationToken cancellationToken)
    {
        // The turn comes first: what was guessed before it has been counted then.
        var turn = _turn = await TakeTurnAsync(cancellationToken);
        try
        {
            // Who was let in as one of few has had to wait for it, and goes on.
            if (_entry is not { IsSpaced: true }) _entry = await throttle.EnterAsync(address, claim.Who, cancellationToken);
        }
        catch
        {
            turn.Dispose();
            throw;
        }
        if (_entry.MayCheck) return turn;
        turn.Dispose();
        Refused = "throttled";
        return null;
    }

    /// <summary>Checks in a turn; a failure counts before the turn is another's.</summary>
    /// <param name="secret">What is checked, by which the same guess is known again.</param>
    /// <param name="check">The check.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns><c>null</c> when there may be none now.</returns>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask<AuthenticationResult?> CheckAsync(ReadOnlyMemory<byte> secret, Func<CancellationToken, Task<AuthenticationResult>> check, CancellationToken cancellationToken)
    {
        using var turn = await EnterAsync(cancellationToken);
        if (turn is null) return null;
        var result = await check(cancellationToken);
        await NoteAsync(result, secret, cancellationToken);
        return result;
    }

    /// <summary>Notes how an attempt ended that has come through.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask NoteAsync(AuthenticationResult result, ReadOnlyMemory<byte> secret, CancellationToken cancellationToken)
    {
        if (result.Outcome == AuthenticationOutcome.TemporaryFailure) return;
        _report = policy is null ? null : await MakeAsync(policy, claim.Who.IsMaster || result.User == default ? claim.Who : new Claimant(result.User, IsMaster: false), secret, cancellationToken);
        _hasSucceeded = result.Outcome == AuthenticationOutcome.Success;
        if (_hasSucceeded) await throttle.SucceededAsync(_entry!, cancellationToken);
        else Delay = await throttle.FailedAsync(_entry!, claim.Sent, secret, cancellationToken);
    }

    /// <summary>Tells the policy service what was noted, when the turn is others'.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    public async ValueTask ReportAsync(CancellationToken cancellationToken)
    {
        if (_report is { } report && !cancellationToken.IsCancellationRequested) await policy!.ReportAsync(report, _hasSucceeded, cancellationToken);
    }

    private async ValueTask<CheckTurn> TakeTurnAsync(CancellationToken cancellationToken)
    {
        // Nobody who could be refused there: the time would tell that the password is right.
        if (throttle.IsExempt(address, claim.Who) || (isRemembered && throttle.Knows(address, claim.Who))) return CheckTurns.Free;
        var network = LoginThrottle.NetworkOf(address);
        return await turns.EnterAsync(network, turns.IsBusy(network) && await throttle.IsKnownAsync(address, claim.Who, cancellationToken), cancellationToken);
    }

    private ValueTask<PolicyQuestion> MakeAsync(LoginPolicy service, Claimant who, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) =>
        service.MakeAsync(who, claim.Sent, password, address, isSecure, cancellationToken);
}
