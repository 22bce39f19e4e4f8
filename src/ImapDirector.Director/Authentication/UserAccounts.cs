using Microsoft.Extensions.Logging;

namespace ImapDirector.Director.Authentication;

/// <summary>The accounts in Redis, as the command line manages them.</summary>
public sealed class UserAccounts(DirectorOptions options, ILoggerFactory loggers) : IAsyncDisposable
{
    /// <summary>Connects to <see cref="DirectorOptions.Redis"/>; when Redis is away every call answers <see cref="AccountOutcome.Unavailable"/>.</summary>
    public Task ConnectAsync(CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Makes an account.</summary>
    /// <param name="name">The user's name; <see cref="DirectorOptions.DefaultDomain"/> is added where it has no domain.</param>
    /// <param name="password">UTF-8, 1 to 1024 bytes; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<AccountOutcome> AddAsync(string name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Gives an existing account a new password.</summary>
    /// <param name="name">The user's name.</param>
    /// <param name="password">UTF-8, 1 to 1024 bytes; the caller zeroes it afterwards.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<AccountOutcome> SetPasswordAsync(string name, ReadOnlyMemory<byte> password, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Calls <paramref name="onAccount"/> with the name of each account as it is found, in no order.</summary>
    public Task<AccountOutcome> ListAsync(Action<string> onAccount, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>What Redis knows of a user; the details are there when the outcome is <see cref="AccountOutcome.Done"/>.</summary>
    public Task<(AccountOutcome Outcome, AccountDetails? Details)> ShowAsync(string name, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Removes the account. The assignment stays, because the mail is still on that node.</summary>
    public Task<AccountOutcome> RemoveAsync(string name, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <inheritdoc />
    public ValueTask DisposeAsync() => throw new NotImplementedException();
}

/// <summary>Every way a change of an account can end.</summary>
public enum AccountOutcome
{
    /// <summary>It is done.</summary>
    Done,
    /// <summary>There is an account of this name already.</summary>
    Exists,
    /// <summary>There is no account of this name.</summary>
    NoSuchUser,
    /// <summary>The name has a character outside the alphabet, or is empty or too long.</summary>
    InvalidName,
    /// <summary>The password is empty or longer than 1024 bytes.</summary>
    InvalidPassword,
    /// <summary>Redis did not answer; the change may or may not have been made.</summary>
    Unavailable,
}

/// <summary>What Redis knows of a user.</summary>
/// <param name="User">The canonical name.</param>
/// <param name="Created">When the account was made.</param>
/// <param name="IsDisabled">Whether logins are refused.</param>
/// <param name="Node">The name of the assigned node, or <c>null</c> before the first login or delivery.</param>
/// <param name="Epoch">The assignment's epoch, 0 without an assignment.</param>
/// <param name="Sessions">The running sessions.</param>
public sealed record AccountDetails(string User, DateTimeOffset Created, bool IsDisabled, string? Node, long Epoch, IReadOnlyList<AccountSession> Sessions);

/// <summary>A running session.</summary>
/// <param name="Id">The connection's id at the director.</param>
/// <param name="Director">The director that relays it.</param>
/// <param name="ClientAddress">The client's address.</param>
/// <param name="Started">When it logged in.</param>
public sealed record AccountSession(string Id, string Director, string ClientAddress, DateTimeOffset Started);
