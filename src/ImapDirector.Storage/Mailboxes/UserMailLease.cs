namespace ImapDirector.Storage.Mailboxes;

/// <summary>One holder's claim on a <see cref="UserMail"/>.</summary>
internal sealed class UserMailLease : IAsyncDisposable
{
    private readonly UserMailRegistry _registry;
    private UserMailEntry? _entry;

    internal UserMailLease(UserMailRegistry registry, UserMailEntry entry, UserMail mail)
    {
        _registry = registry;
        _entry = entry;
        Mail = mail;
    }

    public UserMail Mail { get; }

    public ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _entry, null) is { } entry) _registry.Leave(entry);
        return ValueTask.CompletedTask;
    }
}
