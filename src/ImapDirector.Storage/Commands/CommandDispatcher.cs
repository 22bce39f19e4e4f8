using ImapDirector.Protocol.Imap;
using ImapDirector.Storage.Sessions;

namespace ImapDirector.Storage.Commands;

/// <summary>Which code answers which command.</summary>
internal static class CommandDispatcher
{
    public static ValueTask<CommandResult> RunAsync(MailSession session, ImapCommand command) =>
        session.Enabled.UidOnly && MessageNumbers.AreUsedBy(command) ? ValueTask.FromResult(CommandResult.UidRequired) : AnswerAsync(session, command);

    private static ValueTask<CommandResult> AnswerAsync(MailSession session, ImapCommand command) => command switch
    {
        CapabilityCommand => SessionCommands.CapabilityAsync(session),
        NoopCommand => ValueTask.FromResult(CommandResult.Ok("Noop completed.")),
        CheckCommand => SessionCommands.CheckAsync(session),
        IdCommand => SessionCommands.IdAsync(session),
        EnableCommand enable => SessionCommands.EnableAsync(session, enable),
        NamespaceCommand => SessionCommands.NamespaceAsync(session),
        LogoutCommand => SessionCommands.LogoutAsync(session),
        IdleCommand => IdleHandler.RunAsync(session),
        SelectCommand select => SelectHandler.SelectAsync(session, select),
        CloseCommand close => SelectHandler.CloseAsync(session, close),
        CreateCommand create => MailboxCommands.CreateAsync(session, create),
        DeleteCommand delete => MailboxCommands.DeleteAsync(session, delete),
        RenameCommand rename => MailboxCommands.RenameAsync(session, rename),
        SubscribeCommand subscribe => MailboxCommands.SubscribeAsync(session, subscribe),
        StatusCommand status => StatusHandler.RunAsync(session, status),
        ListCommand list => ListHandler.ListAsync(session, list),
        LsubCommand lsub => ListHandler.LsubAsync(session, lsub),
        AppendCommand append => AppendHandler.AppendAsync(session, append),
        ReplaceCommand replace => AppendHandler.ReplaceAsync(session, replace),
        FetchCommand fetch => FetchHandler.RunAsync(session, fetch),
        StoreCommand store => StoreHandler.RunAsync(session, store),
        SearchCommand search => SearchHandler.RunAsync(session, search),
        MultiSearchCommand multi => MultiSearchHandler.RunAsync(session, multi),
        NotifyCommand notify => NotifyHandler.RunAsync(session, notify),
        CancelUpdateCommand cancel => ContextRequest.CancelAsync(session, cancel),
        UidBatchesCommand batches => UidBatchesHandler.RunAsync(session, batches),
        SortCommand sort => SortHandler.RunAsync(session, sort),
        ThreadCommand thread => ThreadHandler.RunAsync(session, thread),
        GetQuotaCommand quota => QuotaHandler.GetAsync(session, quota),
        GetQuotaRootCommand quota => QuotaHandler.GetRootAsync(session, quota),
        GetMetadataCommand metadata => MetadataHandler.GetAsync(session, metadata),
        SetMetadataCommand metadata => MetadataHandler.SetAsync(session, metadata),
        SetAclCommand acl => AclHandler.SetAsync(session, acl),
        DeleteAclCommand acl => AclHandler.DeleteAsync(session, acl),
        GetAclCommand acl => AclHandler.GetAsync(session, acl),
        ListRightsCommand acl => AclHandler.ListRightsAsync(session, acl),
        MyRightsCommand acl => AclHandler.MyRightsAsync(session, acl),
        GenUrlAuthCommand generate => UrlAuthHandler.GenerateAsync(session, generate),
        UrlFetchCommand fetch => UrlAuthHandler.FetchAsync(session, fetch),
        ResetKeyCommand reset => UrlAuthHandler.ResetAsync(session, reset),
        CompressCommand compress => SessionCommands.CompressAsync(session, compress),
        CopyCommand copy => CopyHandler.RunAsync(session, copy),
        ExpungeCommand expunge => ExpungeHandler.RunAsync(session, expunge),
        _ => ValueTask.FromResult(CommandResult.Bad("Not allowed after login.")),
    };
}
