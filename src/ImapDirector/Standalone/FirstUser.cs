using System.Security.Cryptography;
using System.Text;
using ImapDirector.Configuration;
using ImapDirector.Director.Authentication;

namespace ImapDirector.Standalone;

/// <summary>Makes an account to begin with: the one that was asked for, or one of our own where there is none at all.</summary>
internal static class FirstUser
{
    private const string DefaultName = "alice@example.com";
    private const int PasswordLength = 16;
    private const int MaxAttempts = 10;
    private static readonly TimeSpan PauseBetweenAttempts = TimeSpan.FromMilliseconds(500);
    // Without letters and digits that are taken for each other.
    private const string PasswordAlphabet = "abcdefghijkmnpqrstuvwxyz23456789";

    /// <returns>The name and, when it was made up here, the password; <c>null</c> when there was nothing to do.</returns>
    /// <exception cref="ConfigurationException">The name or the password cannot be used.</exception>
    public static async Task<(string Name, string? MadeUpPassword)?> EnsureAsync(StandaloneOptions options, UserAccounts accounts, CancellationToken cancellationToken)
    {
        if (options.User is null && await HasAnyAsync(accounts, cancellationToken)) return null;
        var name = options.User ?? DefaultName;
        var madeUp = options.Password is null ? RandomNumberGenerator.GetString(PasswordAlphabet, PasswordLength) : null;
        // A password that was not given is not changed.
        if (options.Password is null && await WhenRedisAnswersAsync(async () => (await accounts.ShowAsync(name, cancellationToken)).Outcome, cancellationToken) == AccountOutcome.Done)
            return (name, null);
        var password = Encoding.UTF8.GetBytes(options.Password ?? madeUp!);
        var outcome = await WhenRedisAnswersAsync(() => accounts.AddAsync(name, password, cancellationToken), cancellationToken);
        // It was given a password, or an attempt without an answer has made it all the same.
        if (outcome == AccountOutcome.Exists)
            outcome = await WhenRedisAnswersAsync(() => accounts.SetPasswordAsync(name, password, cancellationToken), cancellationToken);
        CryptographicOperations.ZeroMemory(password);
        return outcome switch
        {
            AccountOutcome.Done => (name, madeUp),
            AccountOutcome.InvalidName => throw new ConfigurationException($"--user is \"{name}\": write it as name@domain, with letters, digits, '.', '-' and '_'."),
            AccountOutcome.InvalidPassword => throw new ConfigurationException("--password is empty or too long: give 1 to 1024 bytes."),
            _ => throw new ConfigurationException($"The first user cannot be made ({outcome}): look into the log."),
        };
    }

    private static async Task<bool> HasAnyAsync(UserAccounts accounts, CancellationToken cancellationToken)
    {
        var isAny = false;
        _ = await WhenRedisAnswersAsync(() => accounts.ListAsync(_ => isAny = true, cancellationToken), cancellationToken);
        return isAny;
    }

    /// <summary>Asks again for a while: a machine that has just been told to do everything at once may take longer than a login would be let wait.</summary>
    /// <exception cref="ConfigurationException">Redis does not answer at all.</exception>
    private static async Task<AccountOutcome> WhenRedisAnswersAsync(Func<Task<AccountOutcome>> ask, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxAttempts; attempt++)
        {
            if (await ask() is not AccountOutcome.Unavailable and var outcome) return outcome;
            await Task.Delay(PauseBetweenAttempts, cancellationToken);
        }
        throw new ConfigurationException("The first user cannot be made, because the embedded Redis does not answer: look into the log.");
    }
}
