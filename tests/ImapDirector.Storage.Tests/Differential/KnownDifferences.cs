namespace ImapDirector.Storage.Tests.Differential;

/// <summary>Where we answer otherwise than Dovecot on purpose, and what allows it.</summary>
internal static class KnownDifferences
{
    public static readonly IReadOnlyDictionary<string, string> Reasons = new Dictionary<string, string>
    {
        ["INBOX can be renamed"] = "RFC 9051 section 6.3.6: RENAME of INBOX moves its messages; Dovecot does not offer it.",
        ["a URL in a response code"] = "RFC 4469 section 4.2: any text; its examples quote the URL.",
        ["a day that is not in the calendar"] = "RFC 9051 section 9: a date names a day; ours is BAD.",
        ["a hint to the client"] = "RFC 5530 section 3: CLIENTBUG is a hint that a server may give.",
        ["a range that ends at the last message"] = "RFC 9051 section 9, seq-range: 9:* of five messages is 5:9, and so holds the fifth.",
        ["a refused SELECT leaves the mailbox selected"] = "RFC 9051 section 6.3.2 lets a failing SELECT deselect; a BAD one was not tried.",
        ["answer to a STORE that changes nothing"] = "RFC 9051 section 6.4.6: the new value is told; whether it is a new one is not asked.",
        ["arguments that are too many"] = "RFC 9051 section 9: NOOP, CAPABILITY, CHECK, CLOSE and NAMESPACE have none, and ID has one.",
        ["messages that are gone are not found"] = "RFC 9051 section 7.5.1: it may not be told of as expunged, and need not be searched.",
        ["arguments that are missing"] = "RFC 9051 section 9, store-att-flags, RFC 5161 section 4, RFC 5464 section 5 (entries) and RFC 4467 section 9: there is at least one; RFC 2971 section 4: ID has one.",
        ["attributes of LIST"] = "RFC 9051 section 7.3.1 and RFC 5258 section 4: a server may tell of children unasked, and parents are mailboxes here.",
        ["BINARY of a header"] = "RFC 3516 section 7: section-binary has part numbers alone.",
        ["changes of a read-only mailbox are refused"] = "RFC 9051 section 6.3.3: no change is permitted; RFC 5530 has no code for doing nothing.",
        ["charsets are told"] = "RFC 9051 section 7.1: the list behind BADCHARSET is optional.",
        ["events that do not go together"] = "RFC 5465 section 5: MessageNew with MessageExpunge, and of the selected mailbox messages alone; anything else is BAD.",
        ["flags of a message that is gone"] = "RFC 9051 section 7.5.1: until its expunge may be told a message has its old flags.",
        ["form of INTERNALDATE"] = "RFC 9051 section 9, date-day-fixed and zone: a space may stand for the zero, and the zone is kept.",
        ["keywords that were only asked for"] = "RFC 9051 section 7.3.5: FLAGS lists flags that are in use.",
        ["literal8 only where needed"] = "RFC 3516 section 4.2: a literal8 is for data with a NUL.",
        ["mailboxes of other users"] = "RFC 2342 section 5: a server tells the namespaces it has.",
        ["mailboxes of a new user"] = "RFC 6154: which mailboxes there are at first is the server's choice.",
        ["no Date is no date"] = "RFC 9051 section 6.4.4: SENTBEFORE asks for the date of the Date field, and there is none.",
        ["order of the items of ESEARCH"] = "RFC 4731 section 3.1: in any order.",
        ["parents are mailboxes"] = "RFC 9051 section 6.3.4: superior names should be created; here they are mailboxes that can be selected.",
        ["parts that are missing"] = "RFC 9051 section 7.5.2: NIL is for what is not there.",
        ["response codes of RFC 5530"] = "RFC 5530 section 3: a code besides NO.",
        ["spelling of INBOX"] = "RFC 9051 section 5.1: INBOX in any case is INBOX.",
        ["the charset is looked at first"] = "RFC 5256 section 5: the charset stands before the criteria.",
        ["the list of ENABLED"] = "RFC 5161 section 3.2: it may be empty, and tells what this command enabled.",
        ["the selected mailbox can be deleted"] = "RFC 9051 section 6.3.5 forbids neither going on nor closing.",
        ["who we are"] = "RFC 2971.",
        ["zeros that the grammar does not have"] = "RFC 9051 section 9: section-part and partial lengths are nz-numbers.",
        ["a URL of somebody else"] = "RFC 4467 section 7: BAD is for a URL that cannot be read, NO for one that cannot be authorised.",
        ["a URL that names nothing"] = "RFC 4467 section 7: NIL is all that is told of it, and the command goes well.",
        ["lazy previews"] = "RFC 8970 section 3.2: NIL is for a preview that is not at hand; ours always is.",
        ["mailboxes that are not there"] = "RFC 9208 section 4.1.3 and RFC 4314 sections 3.4 and 3.5: NO.",
        ["mechanisms that are unknown"] = "RFC 4978 section 3 and RFC 4467 section 7: BAD is for arguments that are invalid or unknown.",
        ["quota is the administrator's"] = "RFC 9208 section 3.1.2: a server without QUOTASET need not know SETQUOTA.",
        ["rights for everybody"] = "RFC 4314 section 2: which identifiers may be given rights is the server's policy; NO is for what it refuses.",
        ["what each server can"] = "RFC 9051 section 6.1.1.",
    };
}
