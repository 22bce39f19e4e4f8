using System.Net;
using ImapDirector.Director.Backends;
using ImapDirector.Protocol;

namespace ImapDirector.Director.Authentication;

/// <summary>Knows users and their passwords.</summary>
internal interface IPasswordDatabase
{
    /// <summary>What logs and metrics call it: <c>redis</c>, <c>passwd_file</c>, <c>ldap</c>, <c>http</c> or <c>node</c>.</summary>
    string Name { get; }

    /// <summary>Asks it. Ends within its own time-out, and never throws because of what is on the other side.</summary>
    /// <exception cref="OperationCanceledException">The token fired.</exception>
    ValueTask<DatabaseAnswer> AskAsync(DatabaseQuestion question, CancellationToken cancellationToken);
}

/// <summary>A question to a password database.</summary>
/// <param name="User">Whom it is about.</param>
/// <param name="Password">The password to check, UTF-8 and not empty; <c>null</c> to ask only whether there is such a user.</param>
/// <param name="Client">Where the client is.</param>
internal sealed record DatabaseQuestion(UserName User, ReadOnlyMemory<byte>? Password, IPAddress Client)
{
    /// <summary>As <see cref="ForwardedClient.HopsLeft"/>: a database that asks another director must not begin to count anew.</summary>
    public int HopsLeft { get; init; } = ForwardedClient.MostHops;

    /// <summary>Leaves the password out.</summary>
    public override string ToString() => User.ToString();
}

/// <summary>What a password database answers.</summary>
/// <param name="Kind">The answer.</param>
/// <param name="Account">The account, when <see cref="DatabaseAnswerKind.Account"/>.</param>
/// <param name="Node">The node that the database wants the user on, when there is none assigned yet.</param>
internal sealed record DatabaseAnswer(DatabaseAnswerKind Kind, Account? Account = null, string? Node = null)
{
    public static readonly DatabaseAnswer NoSuchUser = new(DatabaseAnswerKind.NoSuchUser);
    public static readonly DatabaseAnswer WrongPassword = new(DatabaseAnswerKind.WrongPassword);
    public static readonly DatabaseAnswer Disabled = new(DatabaseAnswerKind.Disabled);
    public static readonly DatabaseAnswer Failure = new(DatabaseAnswerKind.Failure);
    public static readonly DatabaseAnswer Busy = Failure with { IsBusy = true };
    public static readonly DatabaseAnswer CannotTell = new(DatabaseAnswerKind.CannotTell);

    /// <summary>With <see cref="DatabaseAnswerKind.Failure"/>: the database is there, and has too much to do. Then only it knows which passwords are right, not what
    /// is remembered for the time it is away: strangers can make it busy.</summary>
    public bool IsBusy { get; private init; }

    /// <summary>The user is known, with this stored password.</summary>
    public static DatabaseAnswer Of(Account account) => new(DatabaseAnswerKind.Account, account);
}

/// <summary>The kinds of answers.</summary>
internal enum DatabaseAnswerKind
{
    /// <summary>There is such a user; what is stored of the password is for us to compare.</summary>
    Account,
    /// <summary>The database has found the password right.</summary>
    RightPassword,
    /// <summary>There is no such user.</summary>
    NoSuchUser,
    /// <summary>The database has found the password wrong.</summary>
    WrongPassword,
    /// <summary>The user may not log in.</summary>
    Disabled,
    /// <summary>No answer, or none that makes sense.</summary>
    Failure,
    /// <summary>Without a password the database does not say whether there is such a user.</summary>
    CannotTell,
}

/// <summary>An account as a database has it.</summary>
/// <param name="Password">The stored password, not yet parsed; empty when there is none to compare with.</param>
/// <param name="IsDisabled">Whether logins are refused.</param>
/// <param name="Created">When it was made; the Unix epoch when the database does not say.</param>
internal sealed record Account(string Password, bool IsDisabled, DateTimeOffset Created)
{
    /// <summary>What is stored for SCRAM beside the password, as <see cref="ScramField"/> writes it.</summary>
    public string? ScramSha256 { get; init; }

    /// <summary>As <see cref="ScramSha256"/>, for SCRAM-SHA-1.</summary>
    public string? ScramSha1 { get; init; }

    /// <summary>Leaves the hash out.</summary>
    public override string ToString() => nameof(Account);
}
