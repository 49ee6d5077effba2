-- erase_name: a JSON value in which a name is replaced by "erased". Names of members and numbers stay.
--
-- p_value  the value
-- p_name   the name, at least one character
-- p_whole  every text in the value is about the person. Otherwise only texts are searched that people wrote
--          about people: members called reason, note, comment, name, holder or guest
create or replace function erase_name(p_value jsonb, p_name text, p_whole boolean) returns jsonb
language plpgsql volatile as $$
declare
    v_text text;
begin
    case jsonb_typeof(p_value)
        when 'string' then
            if not p_whole then
                return p_value;
            end if;
            v_text := p_value #>> '{}';
            return to_jsonb(replace(v_text, p_name, 'erased'));
        when 'array' then
            return (select coalesce(jsonb_agg(erase_name(e.value, p_name, p_whole) order by e.n), '[]')
                      from jsonb_array_elements(p_value) with ordinality e (value, n));
        when 'object' then
            return (select coalesce(jsonb_object_agg(e.key, erase_name(e.value, p_name, p_whole
                             or e.key in ('reason', 'note', 'comment', 'name', 'holder', 'guest'))), '{}')
                      from jsonb_each(p_value) e);
        else
            return p_value;
    end case;
end $$;
