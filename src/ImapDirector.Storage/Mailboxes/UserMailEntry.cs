using ImapDirector.Protocol;

namespace ImapDirector.Storage.Mailboxes;

/// <summary>A user's place among the open stores: who has it open is counted here, and who wants it while it closes waits here. Changed under the lock of the
/// <see cref="UserMailRegistry"/>.</summary>
internal sealed class UserMailEntry(UserName user, Task<UserMail> opening)
{
    private readonly TaskCompletionSource _emptied = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public UserName User => user;

    public Task<UserMail> Opening => opening;

    public Task? Closing { get; set; }

    /// <summary>Completes when the last lease on an entry that closes is given back.</summary>
    public Task Emptied => _emptied.Task;

    public void TellEmptied() => _emptied.TrySetResult();

    public int Leases { get; set; }

    public long LastUsed { get; set; } = Environment.TickCount64;
}
