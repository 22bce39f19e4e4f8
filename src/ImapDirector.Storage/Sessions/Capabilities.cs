using ImapDirector.Protocol.Imap;

namespace ImapDirector.Storage.Sessions;

/// <summary>What the node says it can do. Nothing is named here that does not work.</summary>
internal static class Capabilities
{
    private const string Always = "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE";

    private const string Mail = Always
        + " IDLE NAMESPACE UIDPLUS UNSELECT MOVE SPECIAL-USE CREATE-SPECIAL-USE CHILDREN LIST-EXTENDED LIST-STATUS STATUS=SIZE CONDSTORE QRESYNC"
        + " ESEARCH SEARCHRES WITHIN PARTIAL SORT SORT=DISPLAY ESORT THREAD=REFERENCES THREAD=REFS THREAD=ORDEREDSUBJECT UTF8=ACCEPT I18NLEVEL=1 BINARY"
        + " MULTIAPPEND CATENATE URLAUTH URL-PARTIAL REPLACE OBJECTID SAVEDATE PREVIEW METADATA LIST-METADATA QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE"
        + " ACL RIGHTS=kxte LIST-MYRIGHTS UIDONLY UIDBATCHES MULTISEARCH INPROGRESS SEARCH=FUZZY CONTEXT=SEARCH CONTEXT=SORT NOTIFY";

    /// <summary>After login.</summary>
    /// <param name="options">What is switched on, and how large a message may be.</param>
    public static string Authenticated(StorageNodeOptions options) =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Mail}{(options.OffersCompression ? " COMPRESS=DEFLATE" : "")} APPENDLIMIT={options.MaxMessageBytes}");

    /// <summary>Before login, where it needs TLS first.</summary>
    public const string NeedsTls = Always + " STARTTLS LOGINDISABLED";

    /// <summary>Before login, where it needs TLS and there is none to be had.</summary>
    public const string Locked = Always + " LOGINDISABLED";

    /// <summary>In the greeting, where directors may log in at once: it is short, because it is sent for each login.</summary>
    /// <param name="options">Which mechanisms there are.</param>
    /// <param name="offersTls">Whether TLS is to be had.</param>
    public static string Greeting(StorageNodeOptions options, bool offersTls) => Always + Login(options, offersTls);

    /// <summary>Before login, for a director that asks what it will find: all of it.</summary>
    /// <inheritdoc cref="Greeting" path="/param" />
    public static string BeforeLogin(StorageNodeOptions options, bool offersTls) => Authenticated(options) + Login(options, offersTls);

    // LOGIN is never allowed: the node has no passwords of its own.
    private static string Login(StorageNodeOptions options, bool offersTls) => (offersTls ? " STARTTLS LOGINDISABLED" : " LOGINDISABLED")
        + (options.MasterPassword is null ? "" : " AUTH=PLAIN") + (options.AssertionKeys is null ? "" : " AUTH=OAUTHBEARER");

    /// <summary>Writes the untagged response.</summary>
    public static void Write(ResponseStream output, string capabilities)
    {
        output.Raw("* CAPABILITY "u8);
        output.Raw(System.Text.Encoding.ASCII.GetBytes(capabilities));
        output.EndLine();
    }
}
